# Sets and removes quotas.
# KIP-546.
api AlterClientQuotas 49
versions 0-1
flexible 1

request
  entries       []RequestEntryData
    entity []RequestEntityData
      entity_type string
      entity_name string?
    ops    []OpData
      key    string
      value  float64
      remove bool
  validate_only bool

response
  throttle_time_ms int32
  entries          []ResponseEntryData
    error_code    int16
    error_message string?
    entity        []ResponseEntityData
      entity_type string
      entity_name string?
