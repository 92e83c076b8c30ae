# Takes partitions into a transaction, or verifies that they are in it.
# KIP-98, KIP-890 batches for brokers (v4).
api AddPartitionsToTxn 24
versions 0-5
flexible 3

request
  struct AddPartitionsToTxnTopic
    name       string
    partitions []int32
  transactions                  []AddPartitionsToTxnTransaction 4+
    transactional_id string
    producer_id      int64
    producer_epoch   int16
    verify_only      bool
    topics           []AddPartitionsToTxnTopic
  v3_and_below_transactional_id string                          0-3
  v3_and_below_producer_id      int64                           0-3
  v3_and_below_producer_epoch   int16                           0-3
  v3_and_below_topics           []AddPartitionsToTxnTopic       0-3

response
  struct AddPartitionsToTxnTopicResult
    name                 string
    results_by_partition []AddPartitionsToTxnPartitionResult
  struct AddPartitionsToTxnPartitionResult
    partition_index      int32
    partition_error_code int16
  throttle_time_ms              int32
  error_code                    int16                           4+  ignorable
  results_by_transaction        []AddPartitionsToTxnResult      4+
    transactional_id string
    topic_results    []AddPartitionsToTxnTopicResult
  results_by_topic_v3_and_below []AddPartitionsToTxnTopicResult 0-3
