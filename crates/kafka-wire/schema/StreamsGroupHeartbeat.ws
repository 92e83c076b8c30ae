# Streams groups: the one call of a member, and its tasks.
# KIP-1071.
api StreamsGroupHeartbeat 88
versions 0-0
flexible 0

request
  struct KeyValue
    key   string
    value string
  struct TopicInfo
    name               string
    partitions         int32
    replication_factor int16
    topic_configs      []KeyValue
  struct RequestEndpoint
    host string
    port uint16
  struct TaskOffset
    subtopology_id string
    partition      int32
    offset         int64
  struct RequestTaskIds
    subtopology_id string
    partitions     []int32
  group_id                   string
  member_id                  string
  member_epoch               int32
  endpoint_information_epoch int32
  instance_id                string?            default=null
  rack_id                    string?            default=null
  rebalance_timeout_ms       int32              default=-1
  topology                   Topology?          default=null
    epoch         int32
    subtopologies []Subtopology
      subtopology_id            string
      source_topics             []string
      source_topic_regex        []string
      state_changelog_topics    []TopicInfo
      repartition_sink_topics   []string
      repartition_source_topics []TopicInfo
      copartition_groups        []CopartitionGroup
        source_topics             []int16
        source_topic_regex        []int16
        repartition_source_topics []int16
  active_tasks               []RequestTaskIds?  default=null
  standby_tasks              []RequestTaskIds?  default=null
  warmup_tasks               []RequestTaskIds?  default=null
  process_id                 string?            default=null
  user_endpoint              RequestEndpoint?   default=null
  client_tags                []KeyValue?        default=null
  task_offsets               []TaskOffset?      default=null
  task_end_offsets           []TaskOffset?      default=null
  shutdown_application       bool

response
  struct Status
    status_code   int8
    status_detail string
  struct TopicPartition
    topic      string
    partitions []int32
  struct ResponseTaskIds
    subtopology_id string
    partitions     []int32
  struct ResponseEndpoint
    host string
    port uint16
  throttle_time_ms            int32
  error_code                  int16
  error_message               string?                  default=null
  member_id                   string
  member_epoch                int32
  heartbeat_interval_ms       int32
  acceptable_recovery_lag     int32
  task_offset_interval_ms     int32
  status                      []Status?
  active_tasks                []ResponseTaskIds?       default=null
  standby_tasks               []ResponseTaskIds?       default=null
  warmup_tasks                []ResponseTaskIds?       default=null
  endpoint_information_epoch  int32
  partitions_by_user_endpoint []EndpointToPartitions?  default=null
    user_endpoint      ResponseEndpoint
    active_partitions  []TopicPartition
    standby_partitions []TopicPartition
