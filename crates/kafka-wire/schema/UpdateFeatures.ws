# Raises or lowers the cluster's feature levels.
# KIP-584, KIP-778.
api UpdateFeatures 57
versions 0-2
flexible 0

request
  timeout_ms      int32                 default=60000
  feature_updates []FeatureUpdateKey
    feature           string
    max_version_level int16
    allow_downgrade   bool   0
    upgrade_type      int8   1+ default=1
  validate_only   bool               1+

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?
  results          []UpdatableFeatureResult 0-1 ignorable
    feature       string
    error_code    int16
    error_message string?
