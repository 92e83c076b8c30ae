# Starts or cancels moves of partitions.
# KIP-455, KIP-860.
api AlterPartitionReassignments 45
versions 0-1
flexible 0

request
  timeout_ms                      int32                  default=60000
  allow_replication_factor_change bool                1+ default=true
  topics                          []ReassignableTopic
    name       string
    partitions []ReassignablePartition
      partition_index int32
      replicas        []int32?  default=null

response
  throttle_time_ms                int32
  allow_replication_factor_change bool                        1+ default=true ignorable
  error_code                      int16
  error_message                   string?
  responses                       []ReassignableTopicResponse
    name       string
    partitions []ReassignablePartitionResponse
      partition_index int32
      error_code      int16
      error_message   string?
