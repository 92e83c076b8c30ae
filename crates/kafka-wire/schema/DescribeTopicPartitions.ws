# Partitions of topics page by page.
# KIP-966.
api DescribeTopicPartitions 75
versions 0-0
flexible 0

request
  topics                   []TopicRequest
    name string
  response_partition_limit int32           default=2000
  cursor                   RequestCursor?  default=null
    topic_name      string
    partition_index int32

response
  throttle_time_ms int32                                   ignorable
  topics           []DescribeTopicPartitionsResponseTopic
    error_code                  int16
    name                        string?
    topic_id                    uuid                                        ignorable
    is_internal                 bool                                        ignorable
    partitions                  []DescribeTopicPartitionsResponsePartition
      error_code               int16
      partition_index          int32
      leader_id                int32
      leader_epoch             int32     default=-1 ignorable
      replica_nodes            []int32
      isr_nodes                []int32
      eligible_leader_replicas []int32?  default=null
      last_known_elr           []int32?  default=null
      offline_replicas         []int32   ignorable
    topic_authorized_operations int32                                       default=-2147483648
  next_cursor      ResponseCursor?                         default=null
    topic_name      string
    partition_index int32
