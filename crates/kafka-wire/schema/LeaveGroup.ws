# Classic group protocol: takes members out of a group.
# KIP-345 several members, KIP-800 reasons.
api LeaveGroup 13
versions 0-5
flexible 4

request
  group_id  string
  member_id string           0-2
  members   []MemberIdentity 3+
    member_id         string
    group_instance_id string?    default=null
    reason            string? 5+ default=null ignorable

response
  throttle_time_ms int32            1+ ignorable
  error_code       int16
  members          []MemberResponse 3+
    member_id         string
    group_instance_id string?
    error_code        int16
