# Adds access rules.
# KIP-140, KIP-290 patterns, KIP-373 user type.
api CreateAcls 30
versions 1-3
flexible 2

request
  creations []AclCreation
    resource_type         int8
    resource_name         string
    resource_pattern_type int8    default=3
    principal             string
    host                  string
    operation             int8
    permission_type       int8

response
  throttle_time_ms int32
  results          []AclCreationResult
    error_code    int16
    error_message string?
