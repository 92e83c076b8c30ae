# Takes a broker that is gone for good off the list.
# KIP-500.
api UnregisterBroker 64
versions 0-0
flexible 0

request
  broker_id int32

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?
