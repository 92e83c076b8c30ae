# Deletes start offsets of a share group.
# KIP-932.
api DeleteShareGroupOffsets 92
versions 0-0
flexible 0

request
  group_id string
  topics   []DeleteShareGroupOffsetsRequestTopic
    topic_name string

response
  throttle_time_ms int32
  error_code       int16
  error_message    string?                                 default=null
  responses        []DeleteShareGroupOffsetsResponseTopic
    topic_name    string
    topic_id      uuid
    error_code    int16
    error_message string?  default=null
