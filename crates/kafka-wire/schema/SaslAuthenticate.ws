# Carries the tokens of a SASL exchange.
# KIP-152, KIP-368 session lifetime.
api SaslAuthenticate 36
versions 0-2
flexible 2

request
  auth_bytes bytes  secret

response
  error_code          int16
  error_message       string?
  auth_bytes          bytes      secret
  session_lifetime_ms int64   1+ ignorable
