# Ends a delegation token.
# KIP-48.
api ExpireDelegationToken 40
versions 1-2
flexible 2

request
  hmac                  bytes  secret
  expiry_time_period_ms int64

response
  error_code          int16
  expiry_timestamp_ms int64
  throttle_time_ms    int32
