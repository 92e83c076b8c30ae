# Lists delegation tokens.
# KIP-48, KIP-373 requesters.
api DescribeDelegationToken 41
versions 1-3
flexible 2

request
  owners []DescribeDelegationTokenOwner?
    principal_type string
    principal_name string

response
  error_code       int16
  tokens           []DescribedDelegationToken
    principal_type                 string
    principal_name                 string
    token_requester_principal_type string                            3+
    token_requester_principal_name string                            3+
    issue_timestamp                int64
    expiry_timestamp               int64
    max_timestamp                  int64
    token_id                       string
    hmac                           bytes                                secret
    renewers                       []DescribedDelegationTokenRenewer
      principal_type string
      principal_name string
  throttle_time_ms int32
