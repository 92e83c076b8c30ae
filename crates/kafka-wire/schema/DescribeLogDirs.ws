# Directories of a broker and what they hold.
# KIP-113, KIP-784 errors, KIP-827 volume sizes, KIP-1066 cordoned directories (v5).
api DescribeLogDirs 35
versions 1-5
flexible 2

request
  topics []DescribableLogDirTopic?
    topic      string
    partitions []int32

response
  throttle_time_ms int32
  error_code       int16                   3+ ignorable
  results          []DescribeLogDirsResult
    error_code   int16
    log_dir      string
    topics       []DescribeLogDirsTopic
      name       string
      partitions []DescribeLogDirsPartition
        partition_index int32
        partition_size  int64
        offset_lag      int64
        is_future_key   bool
    total_bytes  int64                  4+ default=-1 ignorable
    usable_bytes int64                  4+ default=-1 ignorable
    is_cordoned  bool                   5+ ignorable
