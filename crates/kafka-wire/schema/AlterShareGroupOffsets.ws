# Sets start offsets of a share group.
# KIP-932.
api AlterShareGroupOffsets 91
versions 0-0
flexible 0

request
  group_id string
  topics   []AlterShareGroupOffsetsRequestTopic
    topic_name string
    partitions []AlterShareGroupOffsetsRequestPartition
      partition_index int32
      start_offset    int64

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?                                default=null
  responses        []AlterShareGroupOffsetsResponseTopic
    topic_name string
    topic_id   uuid
    partitions []AlterShareGroupOffsetsResponsePartition
      partition_index int32
      error_code      int16
      error_message   string?  default=null
