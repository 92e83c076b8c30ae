# Deletes topics by name or id.
# KIP-516 topic ids, KIP-599 quota.
api DeleteTopics 20
versions 1-6
flexible 4

request
  topics      []DeleteTopicState 6+
    name     string?  default=null
    topic_id uuid
  topic_names []string           1-5 ignorable
  timeout_ms  int32

response
  throttle_time_ms int32                   ignorable
  responses        []DeletableTopicResult
    name          string?6+
    topic_id      uuid      6+ ignorable
    error_code    int16
    error_message string?   5+ default=null ignorable
