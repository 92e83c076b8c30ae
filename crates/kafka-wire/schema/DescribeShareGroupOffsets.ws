# Start offsets of share groups.
# KIP-932, KIP-1226 lag (v1).
api DescribeShareGroupOffsets 90
versions 0-1
flexible 0

request
  groups []DescribeShareGroupOffsetsRequestGroup
    group_id string
    topics   []DescribeShareGroupOffsetsRequestTopic?
      topic_name string
      partitions []int32

response
  throttle_time_ms int32
  groups           []DescribeShareGroupOffsetsResponseGroup
    group_id      string
    topics        []DescribeShareGroupOffsetsResponseTopic
      topic_name string
      topic_id   uuid
      partitions []DescribeShareGroupOffsetsResponsePartition
        partition_index int32
        start_offset    int64
        leader_epoch    int32
        lag             int64   1+ default=-1 ignorable
        error_code      int16
        error_message   string?    default=null
    error_code    int16
    error_message string?                                   default=null
