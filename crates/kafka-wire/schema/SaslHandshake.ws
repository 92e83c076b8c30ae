# Chooses the SASL mechanism of a connection.
# KIP-43, KIP-152.
api SaslHandshake 17
versions 0-1
flexible none

request
  mechanism string

response
  error_code int16
  mechanisms []string
