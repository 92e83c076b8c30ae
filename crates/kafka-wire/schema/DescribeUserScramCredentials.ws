# Which SCRAM mechanisms users have; never the secrets.
# KIP-554.
api DescribeUserScramCredentials 50
versions 0-0
flexible 0

request
  users []UserName?
    name string

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?
  results          []DescribeUserScramCredentialsResult
    user             string
    error_code       int16
    error_message    string?
    credential_infos []CredentialInfo
      mechanism  int8
      iterations int32
