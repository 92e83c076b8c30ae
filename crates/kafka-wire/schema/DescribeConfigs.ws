# Effective settings of resources with their sources.
# KIP-133, KIP-226 synonyms, KIP-569 types and documentation.
api DescribeConfigs 32
versions 1-4
flexible 4

request
  resources             []DescribeConfigsResource
    resource_type      int8
    resource_name      string
    configuration_keys []string?
  include_synonyms      bool
  include_documentation bool                      3+

response
  throttle_time_ms int32
  results          []DescribeConfigsResult
    error_code    int16
    error_message string?
    resource_type int8
    resource_name string
    configs       []DescribeConfigsResourceResult
      name          string
      value         string?
      read_only     bool
      config_source int8                        default=-1 ignorable
      is_sensitive  bool
      synonyms      []DescribeConfigsSynonym    ignorable
        name   string
        value  string?
        source int8
      config_type   int8                     3+ ignorable
      documentation string?                  3+ ignorable
