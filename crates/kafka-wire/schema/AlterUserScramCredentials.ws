# Sets and removes SCRAM credentials.
# KIP-554.
api AlterUserScramCredentials 51
versions 0-0
flexible 0

request
  deletions  []ScramCredentialDeletion
    name      string
    mechanism int8
  upsertions []ScramCredentialUpsertion
    name            string
    mechanism       int8
    iterations      int32
    salt            bytes   secret
    salted_password bytes   secret

response
  throttle_time_ms int32
  results          []AlterUserScramCredentialsResult
    user          string
    error_code    int16
    error_message string?
