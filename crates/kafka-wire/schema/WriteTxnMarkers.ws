# Coordinator to leader: writes commit and abort markers.
# KIP-98.
api WriteTxnMarkers 27
versions 1-2
flexible 1

request
  markers []WritableTxnMarker
    producer_id         int64
    producer_epoch      int16
    transaction_result  bool
    topics              []WritableTxnMarkerTopic
      name              string
      partition_indexes []int32
    coordinator_epoch   int32
    transaction_version int8                     2+ ignorable

response
  markers []WritableTxnMarkerResult
    producer_id int64
    topics      []WritableTxnMarkerTopicResult
      name       string
      partitions []WritableTxnMarkerPartitionResult
        partition_index int32
        error_code      int16
