# Stores a group's positions inside a transaction.
# KIP-98, KIP-447 group metadata, KIP-890.
api TxnOffsetCommit 28
versions 0-5
flexible 3

request
  transactional_id  string
  group_id          string
  producer_id       int64
  producer_epoch    int16
  generation_id     int32                         3+ default=-1
  member_id         string                        3+
  group_instance_id string?                       3+ default=null
  topics            []TxnOffsetCommitRequestTopic
    name       string
    partitions []TxnOffsetCommitRequestPartition
      partition_index        int32
      committed_offset       int64
      committed_leader_epoch int32   2+ default=-1 ignorable
      committed_metadata     string?

response
  throttle_time_ms int32
  topics           []TxnOffsetCommitResponseTopic
    name       string
    partitions []TxnOffsetCommitResponsePartition
      partition_index int32
      error_code      int16
