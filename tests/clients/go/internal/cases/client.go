package cases

import (
	"context"
	"time"
)

// Short enough that a rebalance takes about a second, above the 6 s that brokers demand at least.
const (
	Heartbeat = 500 * time.Millisecond
	Session   = 10 * time.Second
	ReadLimit = 15 * time.Second
)

// Header is one record header; names may repeat.
type Header struct {
	Name  string
	Value []byte
}

// Record is what is to be produced (Offset unset) or was consumed. Nil keys and values are null.
type Record struct {
	Partition int32
	Offset    int64
	Key       []byte
	Value     []byte
	Headers   []Header
	// Timestamp of zero means "now".
	Timestamp time.Time
}

// ProduceOptions are the settings that cases vary.
type ProduceOptions struct {
	Acks       string // "0", "1" or "all"
	Codec      string // "none", "gzip", "snappy", "lz4" or "zstd"
	Idempotent bool
}

// Transaction is records of partition 0 of a topic, perhaps with an offset of a group.
type Transaction struct {
	Topic   string
	Records []Record
	Commits bool
	// Offset may be nil.
	Offset *GroupOffset
}

// GroupOffset is how far a group has read partition 0 of a topic.
type GroupOffset struct {
	Group, Topic string
	Offset       int64
}

// GroupState is a consumer group as the broker describes it.
type GroupState struct {
	State   string
	Members int
}

// Member is one consumer in a group, polling in the background and committing by itself.
type Member interface {
	// Assignment returns the partitions it owns now.
	Assignment() map[int32]bool
	// Values returns every value it has seen so far.
	Values() map[string]bool
	// Leave commits, leaves the group and closes.
	Leave() error
}

// Client is the seam between the cases and a client library. An adapter translates, it never
// judges; what the library does not have returns a Skip.
type Client interface {
	Name() string
	Version() string

	CreateTopic(ctx context.Context, topic string, partitions int) error
	// Produce returns when every record is acknowledged (or sent, with acks 0).
	Produce(ctx context.Context, topic string, records []Record, options ProduceOptions) error
	// Read returns count records of partition 0 from offset, or fewer when ReadLimit has passed.
	Read(ctx context.Context, topic string, count int, offset int64) ([]Record, error)
	// ReadInGroup joins, reads exactly count records, commits what it read, and leaves.
	ReadInGroup(ctx context.Context, group, topic string, count int) ([]Record, error)
	// Transact ends each transaction as it says, with one producer; what is aborted was written before.
	Transact(ctx context.Context, transactionalID string, transactions []Transaction) error
	// ReadCommitted returns count committed records of partition 0 from the first on, or fewer when
	// ReadLimit has passed.
	ReadCommitted(ctx context.Context, topic string, count int) ([]Record, error)
	Join(ctx context.Context, group, topic string) (Member, error)
	// OffsetForTime returns the first offset of partition 0 at or after the time; false if none.
	OffsetForTime(ctx context.Context, topic string, at time.Time) (int64, bool, error)

	ListTopics(ctx context.Context) (map[string]bool, error)
	PartitionCount(ctx context.Context, topic string) (int, error)
	AlterConfig(ctx context.Context, topic, name, value string) error
	Config(ctx context.Context, topic, name string) (string, error)
	CreatePartitions(ctx context.Context, topic string, total int) error
	DeleteRecords(ctx context.Context, topic string, beforeOffset int64) error
	ListGroups(ctx context.Context) (map[string]bool, error)
	DescribeGroup(ctx context.Context, group string) (GroupState, error)
	DeleteGroup(ctx context.Context, group string) error
	DeleteTopic(ctx context.Context, topic string) error
}
