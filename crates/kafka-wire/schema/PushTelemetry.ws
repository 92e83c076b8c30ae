# Metrics of a client.
# KIP-714.
api PushTelemetry 72
versions 0-0
flexible 0

request
  client_instance_id uuid
  subscription_id    int32
  terminating        bool
  compression_type   int8
  metrics            bytes

response
  throttle_time_ms int32
  error_code       int16
