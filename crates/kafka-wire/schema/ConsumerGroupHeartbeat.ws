# New group protocol: the one call of a member, and its assignment.
# KIP-848, KIP-1082 member id made by the client.
api ConsumerGroupHeartbeat 68
versions 0-1
flexible 0

request
  group_id               string
  member_id              string
  member_epoch           int32
  instance_id            string?                      default=null
  rack_id                string?                      default=null
  rebalance_timeout_ms   int32                        default=-1
  subscribed_topic_names []string?                    default=null
  subscribed_topic_regex string?                   1+ default=null
  server_assignor        string?                      default=null
  topic_partitions       []RequestTopicPartitions?    default=null
    topic_id   uuid
    partitions []int32

response
  struct ResponseTopicPartitions
    topic_id   uuid
    partitions []int32
  throttle_time_ms      int32
  error_code            int16
  error_message         string?      default=null
  member_id             string?      default=null
  member_epoch          int32
  heartbeat_interval_ms int32
  assignment            Assignment?  default=null
    topic_partitions []ResponseTopicPartitions
