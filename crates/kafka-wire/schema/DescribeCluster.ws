# Cluster id, controller and brokers.
# KIP-700, KIP-919 endpoint types, KIP-1073 fenced brokers.
api DescribeCluster 60
versions 0-2
flexible 0

request
  include_cluster_authorized_operations bool
  endpoint_type                         int8 1+ default=1
  include_fenced_brokers                bool 2+

response
  throttle_time_ms              int32
  error_code                    int16
  error_message                 string?                    default=null
  endpoint_type                 int8                    1+ default=1
  cluster_id                    string
  controller_id                 int32                      default=-1
  brokers                       []DescribeClusterBroker
    broker_id int32
    host      string
    port      int32
    rack      string?    default=null
    is_fenced bool    2+
  cluster_authorized_operations int32                      default=-2147483648
