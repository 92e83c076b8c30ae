// Command sarama runs the acceptance cases with Sarama.
package main

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"millstream/tests/clients/internal/cases"
)

func main() {
	cases.Main(func(bootstrap string) (cases.Client, error) {
		client, err := sarama.NewClient([]string{bootstrap}, config())
		if err != nil {
			return nil, err
		}
		admin, err := sarama.NewClusterAdminFromClient(client)
		return &stock{bootstrap: bootstrap, client: client, admin: admin}, err
	})
}

type stock struct {
	bootstrap string
	client    sarama.Client
	admin     sarama.ClusterAdmin
}

func (s *stock) Name() string    { return "sarama" }
func (s *stock) Version() string { return cases.Version("github.com/IBM/sarama") }

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Offsets.AutoCommit.Interval = cases.Heartbeat
	c.Consumer.Group.Heartbeat.Interval = cases.Heartbeat
	c.Consumer.Group.Session.Timeout = cases.Session
	return c
}

var codecs = map[string]sarama.CompressionCodec{
	"none":   sarama.CompressionNone,
	"gzip":   sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy,
	"lz4":    sarama.CompressionLZ4,
	"zstd":   sarama.CompressionZSTD,
}

var acks = map[string]sarama.RequiredAcks{
	"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll,
}

func (s *stock) Produce(
	_ context.Context, topic string, records []cases.Record, options cases.ProduceOptions,
) error {
	settings := config()
	settings.Producer.Compression = codecs[options.Codec]
	settings.Producer.RequiredAcks = acks[options.Acks]
	if options.Idempotent {
		settings.Producer.Idempotent = true
		settings.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{s.bootstrap}, settings)
	if err != nil {
		return err
	}
	messages := make([]*sarama.ProducerMessage, len(records))
	for i, record := range records {
		messages[i] = message(topic, record)
	}
	if err := producer.SendMessages(messages); err != nil {
		return fmt.Errorf("%w (%v)", err, producer.Close())
	}
	return producer.Close()
}

func message(topic string, record cases.Record) *sarama.ProducerMessage {
	m := &sarama.ProducerMessage{Topic: topic, Partition: record.Partition, Timestamp: record.Timestamp}
	if record.Key != nil {
		m.Key = sarama.ByteEncoder(record.Key)
	}
	if record.Value != nil {
		m.Value = sarama.ByteEncoder(record.Value)
	}
	for _, h := range record.Headers {
		m.Headers = append(m.Headers, sarama.RecordHeader{Key: []byte(h.Name), Value: h.Value})
	}
	return m
}

func fetched(m *sarama.ConsumerMessage) cases.Record {
	got := cases.Record{
		Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value, Timestamp: m.Timestamp,
	}
	for _, h := range m.Headers {
		got.Headers = append(got.Headers, cases.Header{Name: string(h.Key), Value: h.Value})
	}
	return got
}

func (s *stock) Read(ctx context.Context, topic string, count int, offset int64) ([]cases.Record, error) {
	return s.read(ctx, config(), topic, count, offset)
}

func (s *stock) read(
	ctx context.Context, settings *sarama.Config, topic string, count int, offset int64,
) (got []cases.Record, err error) {
	consumer, err := sarama.NewConsumer([]string{s.bootstrap}, settings)
	if err != nil {
		return nil, err
	}
	defer func() { _ = consumer.Close() }()
	partition, err := consumer.ConsumePartition(topic, 0, offset)
	if err != nil {
		return nil, err
	}
	defer func() { _ = partition.Close() }()
	limit := time.After(cases.ReadLimit)
	for len(got) < count {
		select {
		case m := <-partition.Messages():
			got = append(got, fetched(m))
		case err := <-partition.Errors():
			return got, err
		case <-limit:
			return got, nil
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
	return got, nil
}

// reader is the handler of a group session: it reads up to a number of records, then stops.
type reader struct {
	want int
	got  []cases.Record
	stop context.CancelFunc
}

func (*reader) Setup(sarama.ConsumerGroupSession) error { return nil }

// Cleanup commits what the session has marked.
func (*reader) Cleanup(session sarama.ConsumerGroupSession) error {
	session.Commit()
	return nil
}

func (r *reader) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case m, open := <-claim.Messages():
			if !open {
				return nil
			}
			r.got = append(r.got, fetched(m))
			session.MarkMessage(m, "")
			if len(r.got) == r.want {
				r.stop()
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (s *stock) ReadInGroup(
	ctx context.Context, group, topic string, count int,
) ([]cases.Record, error) {
	settings := config()
	settings.Consumer.Offsets.AutoCommit.Enable = false
	consumer, err := sarama.NewConsumerGroup([]string{s.bootstrap}, group, settings)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, cases.ReadLimit)
	defer cancel()
	r := &reader{want: count, stop: cancel}
	for ctx.Err() == nil {
		if err := consumer.Consume(ctx, []string{topic}, r); err != nil && ctx.Err() == nil {
			return r.got, err
		}
	}
	return r.got, consumer.Close()
}

// member is the handler of a group session that lasts until it leaves.
type member struct {
	group    sarama.ConsumerGroup
	topic    string
	cancel   context.CancelFunc
	finished sync.WaitGroup
	mutex    sync.Mutex
	owned    map[int32]bool
	values   map[string]bool
}

func (s *stock) Join(_ context.Context, group, topic string) (cases.Member, error) {
	consumer, err := sarama.NewConsumerGroup([]string{s.bootstrap}, group, config())
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &member{group: consumer, topic: topic, cancel: cancel, values: map[string]bool{}}
	m.finished.Go(func() {
		for ctx.Err() == nil {
			if err := consumer.Consume(ctx, []string{topic}, m); err != nil {
				return
			}
		}
	})
	m.finished.Go(func() {
		for range consumer.Errors() { // drained; the cases see what goes wrong
		}
	})
	return m, nil
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = map[int32]bool{}
	for _, partition := range session.Claims()[m.topic] {
		m.owned[partition] = true
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.owned = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.mutex.Lock()
		m.values[string(message.Value)] = true
		m.mutex.Unlock()
		session.MarkMessage(message, "")
	}
	return nil
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
	err := m.group.Close()
	m.finished.Wait()
	return err
}
