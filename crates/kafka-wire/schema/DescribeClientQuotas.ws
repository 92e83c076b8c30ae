# Quotas that match a filter.
# KIP-546.
api DescribeClientQuotas 48
versions 0-1
flexible 1

request
  components []ComponentData
    entity_type string
    match_type  int8
    match_value string?
  strict     bool

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?
  entries          []EntryData?
    entity []EntityData
      entity_type string
      entity_name string?
    values []ValueData
      key   string
      value float64
