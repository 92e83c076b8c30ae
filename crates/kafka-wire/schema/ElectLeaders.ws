# Starts leader elections.
# KIP-183, KIP-460.
api ElectLeaders 43
versions 0-2
flexible 2

request
  election_type    int8               1+
  topic_partitions []TopicPartitions?
    topic      string
    partitions []int32
  timeout_ms       int32                 default=60000

response
  throttle_time_ms         int32
  error_code               int16                   1+
  replica_election_results []ReplicaElectionResult
    topic            string
    partition_result []PartitionResult
      partition_id  int32
      error_code    int16
      error_message string?
