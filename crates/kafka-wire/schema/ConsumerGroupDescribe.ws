# State and members of groups of the new protocol.
# KIP-848, KIP-1099 member types.
api ConsumerGroupDescribe 69
versions 0-1
flexible 0

request
  group_ids                     []string
  include_authorized_operations bool

response
  struct TopicPartitions
    topic_id   uuid
    topic_name string
    partitions []int32
  struct Assignment
    topic_partitions []TopicPartitions
  throttle_time_ms int32
  groups           []DescribedGroup
    error_code            int16
    error_message         string?   default=null
    group_id              string
    group_state           string
    group_epoch           int32
    assignment_epoch      int32
    assignor_name         string
    members               []Member
      member_id              string
      instance_id            string?       default=null
      rack_id                string?       default=null
      member_epoch           int32
      client_id              string
      client_host            string
      subscribed_topic_names []string
      subscribed_topic_regex string?       default=null
      assignment             Assignment
      target_assignment      Assignment
      member_type            int8       1+ default=-1 ignorable
    authorized_operations int32     default=-2147483648
