# Hands out the producer id and epoch of an idempotent or transactional producer.
# KIP-98, KIP-360 epoch bump, KIP-890 part 2, KIP-939 two-phase commit (v6, not stable).
api InitProducerId 22
versions 0-6
flexible 2
unstable 6

request
  transactional_id       string?
  transaction_timeout_ms int32
  producer_id            int64   3+ default=-1
  producer_epoch         int16   3+ default=-1
  enable2_pc             bool    6+
  keep_prepared_txn      bool    6+

response
  throttle_time_ms           int32    ignorable
  error_code                 int16
  producer_id                int64    default=-1
  producer_epoch             int16
  ongoing_txn_producer_id    int64 6+ default=-1
  ongoing_txn_producer_epoch int16 6+ default=-1
