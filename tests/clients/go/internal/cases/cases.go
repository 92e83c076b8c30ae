package cases

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"fmt"
	"math/rand"
	"os"
	"time"
)

const (
	recordCount    = 200
	partitionCount = 4
)

// Cases are all cases of one client; topics and groups carry a suffix of their own.
type Cases struct {
	client Client
	suffix string
}

// Main runs every case against the broker and ends the process.
func Main(connect func(bootstrap string) (Client, error)) {
	if len(os.Args) != 2 {
		fmt.Fprintf(os.Stderr, "usage: %s HOST:PORT\n", os.Args[0])
		os.Exit(2)
	}
	client, err := connect(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	random := make([]byte, 4)
	_, _ = crand.Read(random)
	c := Cases{client: client, suffix: client.Name() + "-" + hex.EncodeToString(random)}
	ctx, cancel := context.WithTimeout(context.Background(), programLimit)
	defer cancel()
	r := report{ctx: ctx}
	fmt.Printf("VERSION %s %s\n", client.Name(), client.Version())
	for _, named := range c.named() {
		r.run(named.name, named.body)
	}
	if r.failed {
		os.Exit(1)
	}
}

type namedCase struct {
	name string
	body func(context.Context) error
}

func (c *Cases) named() []namedCase {
	list := []namedCase{
		{"create_topic", c.createTopic},
		{"list_topics", c.listTopics},
		{"describe_topic", c.describeTopic},
	}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		options := ProduceOptions{Acks: "all", Codec: codec}
		list = append(list, namedCase{"codec_" + codec, c.roundTrip("codec-"+codec, options)})
	}
	for _, acks := range []string{"0", "1", "all"} {
		options := ProduceOptions{Acks: acks, Codec: "none"}
		list = append(list, namedCase{"acks_" + acks, c.roundTrip("acks-"+acks, options)})
	}
	return append(list, []namedCase{
		{"idempotent", c.idempotent},
		{"headers", c.headers},
		{"null_key_value", c.nullKeyValue},
		{"group_rebalance", c.groupRebalance},
		{"commit_resume", c.commitResume},
		{"transaction", c.transaction},
		{"transaction_offsets", c.transactionOffsets},
		{"seek_by_time", c.seekByTime},
		{"alter_configs", c.alterConfigs},
		{"create_partitions", c.createPartitions},
		{"delete_records", c.deleteRecords},
		{"list_groups", c.listGroups},
		{"describe_group", c.describeGroup},
		{"delete_group", c.deleteGroup},
		{"delete_topic", c.deleteTopic},
	}...)
}

// Helpers.

var plain = ProduceOptions{Acks: "all", Codec: "none"}

func (c *Cases) topic(ctx context.Context, what string, partitions int) (string, error) {
	name := what + "-" + c.suffix
	return name, c.client.CreateTopic(ctx, name, partitions)
}

// makeRecords returns values of which half repeats (so that codecs have work) and half does not.
func makeRecords(what string, count, size int) []Record {
	random := rand.New(rand.NewSource(int64(len(what) + count)))
	records := make([]Record, count)
	for number := range records {
		noise := make([]byte, size/2)
		random.Read(noise)
		filler := bytes.Repeat([]byte(fmt.Sprintf("%s %d ", what, number)), size/(2*len(what)+8))
		records[number] = Record{Key: []byte(fmt.Sprintf("key-%d", number)), Value: append(filler, noise...)}
	}
	return records
}

// sameRecords demands that everything came back: same bytes, same order, offsets without a gap.
func sameRecords(got, sent []Record, firstOffset int64) error {
	if len(got) != len(sent) {
		return fmt.Errorf("read %d records, wanted %d", len(got), len(sent))
	}
	for i, record := range got {
		switch {
		case record.Offset != firstOffset+int64(i):
			return fmt.Errorf("record %d has offset %d, wanted %d", i, record.Offset, firstOffset+int64(i))
		case !sameBytes(record.Value, sent[i].Value):
			return fmt.Errorf("value at offset %d differs", record.Offset)
		case !sameBytes(record.Key, sent[i].Key):
			return fmt.Errorf("key at offset %d differs", record.Offset)
		}
	}
	return nil
}

// sameBytes tells null from empty, which bytes.Equal does not.
func sameBytes(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

func (c *Cases) sendAndReadBack(ctx context.Context, topic string, sent []Record, o ProduceOptions) error {
	if err := c.client.Produce(ctx, topic, sent, o); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	got, err := c.client.Read(ctx, topic, len(sent), 0)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return sameRecords(got, sent, 0)
}

// Topics and records.

func (c *Cases) createTopic(ctx context.Context) error {
	name, err := c.topic(ctx, "created", partitionCount)
	if err != nil {
		return err
	}
	return c.sendAndReadBack(ctx, name, []Record{{Value: []byte("first")}}, plain)
}

func (c *Cases) listTopics(ctx context.Context) error {
	return waitUntil(ctx, "the topic in the list", func() (bool, error) {
		topics, err := c.client.ListTopics(ctx)
		return topics["created-"+c.suffix], err
	})
}

func (c *Cases) describeTopic(ctx context.Context) error {
	name, err := c.topic(ctx, "described", 3)
	if err != nil {
		return err
	}
	return c.waitForPartitions(ctx, name, 3)
}

func (c *Cases) waitForPartitions(ctx context.Context, topic string, wanted int) error {
	return waitUntil(ctx, fmt.Sprintf("%d partitions", wanted), func() (bool, error) {
		found, err := c.client.PartitionCount(ctx, topic)
		return found == wanted, err
	})
}

func (c *Cases) roundTrip(what string, options ProduceOptions) func(context.Context) error {
	return func(ctx context.Context) error {
		name, err := c.topic(ctx, what, 1)
		if err != nil {
			return err
		}
		return c.sendAndReadBack(ctx, name, makeRecords(what, recordCount, 1000), options)
	}
}

func (c *Cases) idempotent(ctx context.Context) error {
	name, err := c.topic(ctx, "idempotent", 1)
	if err != nil {
		return err
	}
	options := ProduceOptions{Acks: "all", Codec: "none", Idempotent: true}
	sent := makeRecords("idempotent", 1000, 100)
	if err := c.client.Produce(ctx, name, sent[:500], options); err != nil {
		return err
	}
	if err := c.client.Produce(ctx, name, sent[500:], options); err != nil {
		return err
	}
	got, err := c.client.Read(ctx, name, len(sent), 0)
	if err != nil {
		return err
	}
	return sameRecords(got, sent, 0)
}

func (c *Cases) headers(ctx context.Context) error {
	name, err := c.topic(ctx, "headers", 1)
	if err != nil {
		return err
	}
	headers := []Header{
		{"trace", []byte("abc")}, {"twice", []byte("1")}, {"twice", []byte("2")}, {"empty", []byte{}},
	}
	record := Record{Key: []byte("k"), Value: []byte("with headers"), Headers: headers}
	if err := c.client.Produce(ctx, name, []Record{record}, plain); err != nil {
		return err
	}
	got, err := c.client.Read(ctx, name, 1, 0)
	if err != nil || len(got) != 1 {
		return fmt.Errorf("read %d records: %v", len(got), err)
	}
	if fmt.Sprintf("%s", got[0].Headers) != fmt.Sprintf("%s", headers) {
		return fmt.Errorf("headers are %s", got[0].Headers)
	}
	return nil
}

func (c *Cases) nullKeyValue(ctx context.Context) error {
	name, err := c.topic(ctx, "nulls", 1)
	if err != nil {
		return err
	}
	sent := []Record{
		{Value: []byte("no key")}, {Key: []byte("tombstone")}, {Key: []byte("k"), Value: []byte("both")},
	}
	return c.sendAndReadBack(ctx, name, sent, plain)
}

func (c *Cases) seekByTime(ctx context.Context) error {
	name, err := c.topic(ctx, "times", 1)
	if err != nil {
		return err
	}
	start := time.UnixMilli(time.Now().UnixMilli() - 100_000)
	sent := make([]Record, 60)
	for n := range sent {
		at := start.Add(time.Duration(n) * time.Second)
		sent[n] = Record{Value: []byte(fmt.Sprint(n)), Timestamp: at}
	}
	if err := c.client.Produce(ctx, name, sent, plain); err != nil {
		return err
	}
	found, exists, err := c.client.OffsetForTime(ctx, name, start.Add(29500*time.Millisecond))
	if err != nil || !exists || found != 30 {
		return fmt.Errorf("offset for the time is %d (%t), wanted 30: %v", found, exists, err)
	}
	late, exists, err := c.client.OffsetForTime(ctx, name, start.Add(time.Minute))
	if err != nil || exists {
		return fmt.Errorf("offset after the last record is %d, wanted none: %v", late, err)
	}
	got, err := c.client.Read(ctx, name, 30, found)
	if err != nil {
		return err
	}
	return sameRecords(got, sent[30:], 30)
}
