# Commits or aborts a transaction.
# KIP-98, KIP-890 part 2 answers with the next epoch (v5).
api EndTxn 26
versions 0-5
flexible 3

request
  transactional_id string
  producer_id      int64
  producer_epoch   int16
  committed        bool

response
  throttle_time_ms int32
  error_code       int16
  producer_id      int64 5+ default=-1 ignorable
  producer_epoch   int16 5+ default=-1 ignorable
