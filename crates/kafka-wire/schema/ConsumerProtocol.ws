# What classic consumers put into the opaque bytes of JoinGroup and SyncGroup, after an int16 version.
# KIP-429 owned partitions, KIP-792 generation, KIP-881 racks.
data ConsumerProtocol
versions 0-3
flexible none

message ConsumerProtocolSubscription
  topics           []string
  user_data        bytes?              default=null
  owned_partitions []OwnedPartition 1+ ignorable
    topic      string
    partitions []int32
  generation_id    int32            2+ default=-1 ignorable
  rack_id          string?          3+ default=null ignorable

message ConsumerProtocolAssignment
  assigned_partitions []AssignedPartition
    topic      string
    partitions []int32
  user_data           bytes?               default=null
