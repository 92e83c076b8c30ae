# Stores the positions of a consumer group.
# KIP-345 static members, KIP-848 member epochs and topic ids (v10).
api OffsetCommit 8
versions 2-10
flexible 8

request
  group_id                      string
  generation_id_or_member_epoch int32                          default=-1 ignorable
  member_id                     string                         ignorable
  group_instance_id             string?                    7+  default=null
  retention_time_ms             int64                      2-4 default=-1 ignorable
  topics                        []OffsetCommitRequestTopic
    name       string                         2-9 ignorable
    topic_id   uuid                           10+ ignorable
    partitions []OffsetCommitRequestPartition
      partition_index        int32
      committed_offset       int64
      committed_leader_epoch int32   6+ default=-1 ignorable
      committed_metadata     string?

response
  throttle_time_ms int32                       3+ ignorable
  topics           []OffsetCommitResponseTopic
    name       string                          2-9 ignorable
    topic_id   uuid                            10+ ignorable
    partitions []OffsetCommitResponsePartition
      partition_index int32
      error_code      int16
