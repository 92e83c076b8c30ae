# Names of resources that have settings; version 0 lists client metrics subscriptions only.
# KIP-714, KIP-1142.
api ListConfigResources 74
versions 0-1
flexible 0

request
  resource_types []int8 1+

response
  throttle_time_ms int32
  error_code       int16
  config_resources []ConfigResource
    resource_name string
    resource_type int8   1+ default=16 ignorable
