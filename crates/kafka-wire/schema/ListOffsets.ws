# Finds an offset by timestamp or by a special position (earliest, latest, max timestamp, tiers).
# KIP-207, KIP-320, KIP-734, KIP-405.
api ListOffsets 2
versions 1-11
flexible 6

request
  replica_id      int32
  isolation_level int8               2+
  topics          []ListOffsetsTopic
    name       string
    partitions []ListOffsetsPartition
      partition_index      int32
      current_leader_epoch int32 4+ default=-1 ignorable
      timestamp            int64
  timeout_ms      int32              10+ ignorable

response
  throttle_time_ms int32                      2+ ignorable
  topics           []ListOffsetsTopicResponse
    name       string
    partitions []ListOffsetsPartitionResponse
      partition_index int32
      error_code      int16
      timestamp       int64    default=-1
      offset          int64    default=-1
      leader_epoch    int32 4+ default=-1
