# Classic group protocol: says that a member is alive.
# KIP-345 static members.
api Heartbeat 12
versions 0-4
flexible 4

request
  group_id          string
  generation_id     int32
  member_id         string
  group_instance_id string? 3+ default=null

response
  throttle_time_ms int32 1+ ignorable
  error_code       int16
