# State of the metadata quorum.
# KIP-595, KIP-836, KIP-853.
api DescribeQuorum 55
versions 0-2
flexible 0

request
  topics []RequestTopicData
    topic_name string
    partitions []RequestPartitionData
      partition_index int32

response
  struct ReplicaState
    replica_id               int32
    replica_directory_id     uuid  2+
    log_end_offset           int64
    last_fetch_timestamp     int64 1+ default=-1 ignorable
    last_caught_up_timestamp int64 1+ default=-1 ignorable
  error_code    int16
  error_message string?             2+ ignorable
  topics        []ResponseTopicData
    topic_name string
    partitions []ResponsePartitionData
      partition_index int32
      error_code      int16
      error_message   string?        2+ ignorable
      leader_id       int32
      leader_epoch    int32
      high_watermark  int64
      current_voters  []ReplicaState
      observers       []ReplicaState
  nodes         []Node              2+
    node_id   int32
    listeners []Listener
      name string
      host string
      port uint16
