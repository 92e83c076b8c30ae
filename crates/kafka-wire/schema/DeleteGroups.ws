# Deletes empty groups.
# KIP-229.
api DeleteGroups 42
versions 0-2
flexible 2

request
  groups_names []string

response
  throttle_time_ms int32
  results          []DeletableGroupResult
    group_id   string
    error_code int16
