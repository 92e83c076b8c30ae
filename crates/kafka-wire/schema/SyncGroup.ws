# Classic group protocol: the leader gives and each member gets its assignment.
# KIP-345 static members, KIP-559 protocol names.
api SyncGroup 14
versions 0-5
flexible 4

request
  group_id          string
  generation_id     int32
  member_id         string
  group_instance_id string?                      3+ default=null
  protocol_type     string?                      5+ default=null ignorable
  protocol_name     string?                      5+ default=null ignorable
  assignments       []SyncGroupRequestAssignment
    member_id  string
    assignment bytes

response
  throttle_time_ms int32   1+ ignorable
  error_code       int16
  protocol_type    string? 5+ default=null ignorable
  protocol_name    string? 5+ default=null ignorable
  assignment       bytes
