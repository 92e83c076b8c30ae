# State and members of classic groups.
# KIP-345 static members, KIP-430 authorised operations, KIP-1043 error messages.
api DescribeGroups 15
versions 0-6
flexible 5

request
  groups                        []string
  include_authorized_operations bool     3+

response
  throttle_time_ms int32            1+ ignorable
  groups           []DescribedGroup
    error_code            int16
    error_message         string?                6+ default=null
    group_id              string
    group_state           string
    protocol_type         string
    protocol_data         string
    members               []DescribedGroupMember
      member_id         string
      group_instance_id string? 4+ default=null ignorable
      client_id         string
      client_host       string
      member_metadata   bytes
      member_assignment bytes
    authorized_operations int32                  3+ default=-2147483648
