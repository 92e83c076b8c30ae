# Deletes stored positions of a group.
# KIP-496.
api OffsetDelete 47
versions 0-0
flexible none

request
  group_id string
  topics   []OffsetDeleteRequestTopic
    name       string
    partitions []OffsetDeleteRequestPartition
      partition_index int32

response
  error_code       int16
  throttle_time_ms int32                        ignorable
  topics           []OffsetDeleteResponseTopic
    name       string
    partitions []OffsetDeleteResponsePartition
      partition_index int32
      error_code      int16
