# Share groups: the one call of a member, and its assignment.
# KIP-932.
api ShareGroupHeartbeat 76
versions 1-1
flexible 1

request
  group_id               string
  member_id              string
  member_epoch           int32
  rack_id                string?    default=null
  subscribed_topic_names []string?  default=null

response
  struct TopicPartitions
    topic_id   uuid
    partitions []int32
  throttle_time_ms      int32
  error_code            int16
  error_message         string?      default=null
  member_id             string?      default=null
  member_epoch          int32
  heartbeat_interval_ms int32
  assignment            Assignment?  default=null
    topic_partitions []TopicPartitions
