# Moves replicas between directories of one broker.
# KIP-113.
api AlterReplicaLogDirs 34
versions 1-2
flexible 2

request
  dirs []AlterReplicaLogDir
    path   string
    topics []AlterReplicaLogDirTopic
      name       string
      partitions []int32

response
  throttle_time_ms int32
  results          []AlterReplicaLogDirTopicResult
    topic_name string
    partitions []AlterReplicaLogDirPartitionResult
      partition_index int32
      error_code      int16
