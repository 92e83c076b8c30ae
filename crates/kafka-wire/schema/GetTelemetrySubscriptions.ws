# Which metrics a client is to push.
# KIP-714.
api GetTelemetrySubscriptions 71
versions 0-0
flexible 0

request
  client_instance_id uuid

response
  throttle_time_ms           int32
  error_code                 int16
  client_instance_id         uuid
  subscription_id            int32
  accepted_compression_types []int8
  push_interval_ms           int32
  telemetry_max_bytes        int32
  delta_temporality          bool
  requested_metrics          []string
