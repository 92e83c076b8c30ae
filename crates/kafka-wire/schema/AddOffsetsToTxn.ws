# Takes a group's offsets into a transaction.
# KIP-98.
api AddOffsetsToTxn 25
versions 0-4
flexible 3

request
  transactional_id string
  producer_id      int64
  producer_epoch   int16
  group_id         string

response
  throttle_time_ms int32
  error_code       int16
