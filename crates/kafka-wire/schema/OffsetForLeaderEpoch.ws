# Where a leader epoch ended.
# KIP-101, KIP-320.
api OffsetForLeaderEpoch 23
versions 2-4
flexible 4

request
  replica_id int32                  3+ default=-2 ignorable
  topics     []OffsetForLeaderTopic
    topic      string
    partitions []OffsetForLeaderPartition
      partition            int32
      current_leader_epoch int32  default=-1 ignorable
      leader_epoch         int32

response
  throttle_time_ms int32                         ignorable
  topics           []OffsetForLeaderTopicResult
    topic      string
    partitions []EpochEndOffset
      error_code   int16
      partition    int32
      leader_epoch int32  default=-1 ignorable
      end_offset   int64  default=-1
