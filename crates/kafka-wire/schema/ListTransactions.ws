# Transactions that a broker coordinates.
# KIP-664, KIP-994 duration filter, KIP-1152 pattern filter.
api ListTransactions 66
versions 0-2
flexible 0

request
  state_filters            []string
  producer_id_filters      []int64
  duration_filter          int64    1+ default=-1
  transactional_id_pattern string?  2+ default=null

response
  throttle_time_ms      int32
  error_code            int16
  unknown_state_filters []string
  transaction_states    []TransactionState
    transactional_id  string
    producer_id       int64
    transaction_state string
