# Reads the stored positions of consumer groups.
# KIP-447 stable offsets, KIP-709 many groups, KIP-848 member epochs and topic ids (v10).
api OffsetFetch 9
versions 1-10
flexible 6

request
  group_id       string                        1-7
  topics         []OffsetFetchRequestTopic?2-7 1-7
    name              string
    partition_indexes []int32
  groups         []OffsetFetchRequestGroup     8+
    group_id     string
    member_id    string?                     9+ default=null ignorable
    member_epoch int32                       9+ default=-1 ignorable
    topics       []OffsetFetchRequestTopics?
      name              string  8-9 ignorable
      topic_id          uuid    10+ ignorable
      partition_indexes []int32
  require_stable bool                          7+

response
  throttle_time_ms int32                      3+  ignorable
  topics           []OffsetFetchResponseTopic 1-7
    name       string
    partitions []OffsetFetchResponsePartition
      partition_index        int32
      committed_offset       int64
      committed_leader_epoch int32   5-7 default=-1 ignorable
      metadata               string?
      error_code             int16
  error_code       int16                      2-7 ignorable
  groups           []OffsetFetchResponseGroup 8+
    group_id   string
    topics     []OffsetFetchResponseTopics
      name       string                          8-9 ignorable
      topic_id   uuid                            10+ ignorable
      partitions []OffsetFetchResponsePartitions
        partition_index        int32
        committed_offset       int64
        committed_leader_epoch int32    default=-1 ignorable
        metadata               string?
        error_code             int16
    error_code int16
