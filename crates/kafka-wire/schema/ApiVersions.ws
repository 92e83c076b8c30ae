# Which APIs and versions a broker serves. Its response header never has tags.
# KIP-35, KIP-511 client name, KIP-584 features.
api ApiVersions 18
versions 0-4
flexible 3

request
  client_software_name    string 3+ ignorable
  client_software_version string 3+ ignorable

response
  error_code               int16
  api_keys                 []ApiVersion
    api_key     int16
    min_version int16
    max_version int16
  throttle_time_ms         int32                 1+ ignorable
  supported_features       []SupportedFeatureKey 3+ tag=0 ignorable
    name        string
    min_version int16
    max_version int16
  finalized_features_epoch int64                 3+ tag=1 default=-1 ignorable
  finalized_features       []FinalizedFeatureKey 3+ tag=2 ignorable
    name              string
    max_version_level int16
    min_version_level int16
  zk_migration_ready       bool                  3+ tag=3 ignorable
