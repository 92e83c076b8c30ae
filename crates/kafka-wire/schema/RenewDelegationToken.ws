# Prolongs a delegation token.
# KIP-48.
api RenewDelegationToken 39
versions 1-2
flexible 2

request
  hmac            bytes  secret
  renew_period_ms int64

response
  error_code          int16
  expiry_timestamp_ms int64
  throttle_time_ms    int32
