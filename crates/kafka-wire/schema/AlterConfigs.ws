# Replaces all settings of a resource.
# KIP-133.
api AlterConfigs 33
versions 0-2
flexible 2

request
  resources     []AlterConfigsResource
    resource_type int8
    resource_name string
    configs       []AlterableConfig
      name  string
      value string?  secret
  validate_only bool

response
  throttle_time_ms int32
  responses        []AlterConfigsResourceResponse
    error_code    int16
    error_message string?
    resource_type int8
    resource_name string
