# Classic group protocol: enters a group and learns the generation.
# KIP-345 static members, KIP-394 member id first, KIP-800 reasons.
api JoinGroup 11
versions 0-9
flexible 6

request
  group_id             string
  session_timeout_ms   int32
  rebalance_timeout_ms int32                      1+ default=-1 ignorable
  member_id            string
  group_instance_id    string?                    5+ default=null
  protocol_type        string
  protocols            []JoinGroupRequestProtocol
    name     string
    metadata bytes
  reason               string?                    8+ default=null ignorable

response
  throttle_time_ms int32                     2+ ignorable
  error_code       int16
  generation_id    int32                        default=-1
  protocol_type    string?                   7+ default=null ignorable
  protocol_name    string?7+
  leader           string
  skip_assignment  bool                      9+
  member_id        string
  members          []JoinGroupResponseMember
    member_id         string
    group_instance_id string? 5+ default=null ignorable
    metadata          bytes
