# Creates topics.
# KIP-195, KIP-464 defaults, KIP-525 resulting configs, KIP-516 topic ids, KIP-599 quota.
api CreateTopics 19
versions 2-7
flexible 5

request
  topics        []CreatableTopic
    name               string
    num_partitions     int32
    replication_factor int16
    assignments        []CreatableReplicaAssignment
      partition_index int32
      broker_ids      []int32
    configs            []CreatableTopicConfig
      name  string
      value string?
  timeout_ms    int32             default=60000
  validate_only bool

response
  throttle_time_ms int32                   ignorable
  topics           []CreatableTopicResult
    name                    string
    topic_id                uuid                     7+ ignorable
    error_code              int16
    error_message           string?                     ignorable
    topic_config_error_code int16                    5+ tag=0 ignorable
    num_partitions          int32                    5+ default=-1 ignorable
    replication_factor      int16                    5+ default=-1 ignorable
    configs                 []CreatableTopicConfigs? 5+ ignorable
      name          string
      value         string?
      read_only     bool
      config_source int8     default=-1 ignorable
      is_sensitive  bool
