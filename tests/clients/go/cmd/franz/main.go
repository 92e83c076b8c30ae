// Command franz runs the acceptance cases with franz-go: kgo for records, kadm for admin calls.
package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"millstream/tests/clients/internal/cases"
)

func main() {
	cases.Main(func(bootstrap string) (cases.Client, error) {
		client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
		if err != nil {
			return nil, err
		}
		return &franz{bootstrap: bootstrap, admin: kadm.NewClient(client)}, nil
	})
}

type franz struct {
	bootstrap string
	admin     *kadm.Client
}

func (f *franz) Name() string    { return "franz-go" }
func (f *franz) Version() string { return cases.Version("github.com/twmb/franz-go") }

func (f *franz) connect(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(f.bootstrap)}, options...)...)
}

var codecs = map[string]kgo.CompressionCodec{
	"none":   kgo.NoCompression(),
	"gzip":   kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(),
	"lz4":    kgo.Lz4Compression(),
	"zstd":   kgo.ZstdCompression(),
}

var acks = map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}

func (f *franz) Produce(
	ctx context.Context, topic string, records []cases.Record, options cases.ProduceOptions,
) error {
	settings := []kgo.Opt{
		kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecs[options.Codec]),
		kgo.RequiredAcks(acks[options.Acks]),
	}
	if !options.Idempotent {
		settings = append(settings, kgo.DisableIdempotentWrite())
	}
	client, err := f.connect(settings...)
	if err != nil {
		return err
	}
	defer client.Close()
	batch := make([]*kgo.Record, len(records))
	for i, r := range records {
		batch[i] = &kgo.Record{Partition: r.Partition, Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}
		for _, h := range r.Headers {
			batch[i].Headers = append(batch[i].Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		}
	}
	return client.ProduceSync(ctx, batch...).FirstErr()
}

func fetched(record *kgo.Record) cases.Record {
	got := cases.Record{
		Partition: record.Partition, Offset: record.Offset,
		Key: record.Key, Value: record.Value, Timestamp: record.Timestamp,
	}
	for _, h := range record.Headers {
		got.Headers = append(got.Headers, cases.Header{Name: h.Key, Value: h.Value})
	}
	return got
}

// poll reads exactly count records, or fewer when the limit has passed.
func poll(ctx context.Context, client *kgo.Client, count int) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, cases.ReadLimit)
	defer cancel()
	var got []*kgo.Record
	for len(got) < count {
		fetches := client.PollRecords(ctx, count-len(got))
		if ctx.Err() != nil {
			return got, nil
		}
		if err := fetches.Err(); err != nil {
			return got, err
		}
		got = append(got, fetches.Records()...)
	}
	return got, nil
}

func converted(records []*kgo.Record) []cases.Record {
	got := make([]cases.Record, len(records))
	for i, record := range records {
		got[i] = fetched(record)
	}
	return got
}

func (f *franz) Read(ctx context.Context, topic string, count int, offset int64) ([]cases.Record, error) {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(offset)}}
	client, err := f.connect(kgo.ConsumePartitions(start))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	got, err := poll(ctx, client, count)
	return converted(got), err
}

func groupOptions(group, topic string) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.HeartbeatInterval(cases.Heartbeat),
		kgo.SessionTimeout(cases.Session),
	}
}

func (f *franz) ReadInGroup(
	ctx context.Context, group, topic string, count int,
) ([]cases.Record, error) {
	client, err := f.connect(append(groupOptions(group, topic), kgo.DisableAutoCommit())...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	got, err := poll(ctx, client, count)
	if err == nil {
		err = client.CommitRecords(ctx, got...)
	}
	return converted(got), err
}

// member polls in a goroutine; the callbacks of the cooperative assignor keep its assignment.
type member struct {
	client   *kgo.Client
	cancel   context.CancelFunc
	finished sync.WaitGroup
	mutex    sync.Mutex
	owned    map[int32]bool
	values   map[string]bool
}

func (f *franz) Join(_ context.Context, group, topic string) (cases.Member, error) {
	m := &member{owned: map[int32]bool{}, values: map[string]bool{}}
	gained := func(_ context.Context, _ *kgo.Client, moved map[string][]int32) { m.move(moved[topic], true) }
	lost := func(_ context.Context, _ *kgo.Client, moved map[string][]int32) { m.move(moved[topic], false) }
	options := append(
		groupOptions(group, topic),
		kgo.OnPartitionsAssigned(gained), kgo.OnPartitionsRevoked(lost), kgo.OnPartitionsLost(lost),
	)
	var err error
	if m.client, err = f.connect(options...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.finished.Go(func() { m.run(ctx) })
	return m, nil
}

func (m *member) run(ctx context.Context) {
	for ctx.Err() == nil {
		m.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			m.values[string(record.Value)] = true
		})
	}
}

func (m *member) move(partitions []int32, owned bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for _, partition := range partitions {
		if owned {
			m.owned[partition] = true
		} else {
			delete(m.owned, partition)
		}
	}
}

func (m *member) Assignment() map[int32]bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return maps.Clone(m.owned)
}

func (m *member) Values() map[string]bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return maps.Clone(m.values)
}

func (m *member) Leave() error {
	m.cancel()
	m.finished.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), cases.ReadLimit)
	defer cancel()
	err := m.client.CommitUncommittedOffsets(ctx)
	m.client.Close()
	return err
}

func (f *franz) CreateTopic(ctx context.Context, topic string, partitions int) error {
	answer, err := f.admin.CreateTopic(ctx, int32(partitions), 1, nil, topic)
	if err != nil {
		return err
	}
	return answer.Err
}

func (f *franz) OffsetForTime(ctx context.Context, topic string, at time.Time) (int64, bool, error) {
	listed, err := f.admin.ListOffsetsAfterMilli(ctx, at.UnixMilli(), topic)
	if err != nil {
		return 0, false, err
	}
	found, ok := listed.Lookup(topic, 0)
	if !ok {
		return 0, false, fmt.Errorf("no answer for partition 0")
	}
	// kadm answers with the end offset and no timestamp when nothing is that late.
	return found.Offset, found.Timestamp >= 0, found.Err
}

func (f *franz) ListTopics(ctx context.Context) (map[string]bool, error) {
	listed, err := f.admin.ListTopics(ctx)
	names := map[string]bool{}
	for _, name := range listed.Names() {
		names[name] = true
	}
	return names, err
}

func (f *franz) PartitionCount(ctx context.Context, topic string) (int, error) {
	listed, err := f.admin.ListTopics(ctx, topic)
	return len(listed[topic].Partitions), err
}

func (f *franz) AlterConfig(ctx context.Context, topic, name, value string) error {
	change := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}
	answers, err := f.admin.AlterTopicConfigs(ctx, change, topic)
	if err != nil {
		return err
	}
	return answers[0].Err
}

func (f *franz) Config(ctx context.Context, topic, name string) (string, error) {
	described, err := f.admin.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return "", err
	}
	for _, config := range described[0].Configs {
		if config.Key == name {
			return config.MaybeValue(), nil
		}
	}
	return "", described[0].Err
}

func (f *franz) CreatePartitions(ctx context.Context, topic string, total int) error {
	answers, err := f.admin.UpdatePartitions(ctx, total, topic)
	if err != nil {
		return err
	}
	return answers.Error()
}

func (f *franz) DeleteRecords(ctx context.Context, topic string, beforeOffset int64) error {
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, beforeOffset, -1)
	answers, err := f.admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return err
	}
	return answers.Error()
}

func (f *franz) ListGroups(ctx context.Context) (map[string]bool, error) {
	listed, err := f.admin.ListGroups(ctx)
	names := map[string]bool{}
	for _, name := range listed.Groups() {
		names[name] = true
	}
	return names, err
}

func (f *franz) DescribeGroup(ctx context.Context, group string) (cases.GroupState, error) {
	described, err := f.admin.DescribeGroups(ctx, group)
	if err != nil {
		return cases.GroupState{}, err
	}
	found := described[group]
	return cases.GroupState{State: found.State, Members: len(found.Members)}, found.Err
}

func (f *franz) DeleteGroup(ctx context.Context, group string) error {
	answer, err := f.admin.DeleteGroup(ctx, group)
	if err != nil {
		return err
	}
	return answer.Err
}

func (f *franz) DeleteTopic(ctx context.Context, topic string) error {
	answer, err := f.admin.DeleteTopic(ctx, topic)
	if err != nil {
		return err
	}
	return answer.Err
}
