// Command partitions creates, fills and reads very many partitions with franz-go.
//
//	partitions create   HOST:PORT PREFIX TOPICS PARTITIONS
//	partitions produce  HOST:PORT PREFIX TOPICS PARTITIONS ROUND
//	partitions consume  HOST:PORT PREFIX TOPICS PARTITIONS ROUNDS
//	partitions metadata HOST:PORT PREFIX TOPICS PARTITIONS
//
// TOPICS topics `PREFIX-N` have PARTITIONS partitions each. A round produces one record to every
// partition; its value names topic, partition and round. Each call prints one line of `name=value`
// pairs.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"millstream/tests/clients/internal/wire"
)

const (
	limit        = 10 * time.Minute
	callLimit    = 2 * time.Minute
	pollInterval = 100 * time.Millisecond
)

type plan struct {
	bootstrap  string
	topics     []string
	partitions int
	rounds     int
}

func main() {
	actions := map[string]func(context.Context, plan) error{
		"create": create, "produce": produce, "consume": consume, "metadata": metadata,
	}
	if len(os.Args) < 6 || actions[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: see the head of main.go")
		os.Exit(2)
	}
	topics, err := strconv.Atoi(os.Args[4])
	if err != nil {
		topics = 0
	}
	p := plan{bootstrap: os.Args[2]}
	for number := range topics {
		p.topics = append(p.topics, fmt.Sprintf("%s-%d", os.Args[3], number))
	}
	if p.partitions, err = strconv.Atoi(os.Args[5]); err == nil && len(os.Args) > 6 {
		p.rounds, err = strconv.Atoi(os.Args[6])
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err == nil {
		err = actions[os.Args[1]](ctx, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (p plan) client(options ...kgo.Opt) (*kgo.Client, error) {
	options = append(options, kgo.SeedBrokers(p.bootstrap), kgo.MetadataMinAge(pollInterval),
		kgo.RequestTimeoutOverhead(callLimit))
	return kgo.NewClient(options...)
}

func create(ctx context.Context, p plan) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	defer client.Close()
	began := time.Now()
	admin := kadm.NewClient(client)
	admin.SetTimeoutMillis(int32(callLimit.Milliseconds()))
	answers, err := admin.CreateTopics(ctx, int32(p.partitions), 1, nil, p.topics...)
	if err != nil {
		return err
	}
	if err := answers.Error(); err != nil {
		return err
	}
	created := time.Since(began)
	for {
		offsets, err := admin.ListEndOffsets(ctx, p.topics...)
		ready := 0
		if err == nil {
			offsets.Each(func(offset kadm.ListedOffset) {
				if offset.Err == nil {
					ready++
				}
			})
		}
		if ready == len(p.topics)*p.partitions {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d partitions are ready after %s: %w", ready, limit, err)
		case <-time.After(pollInterval):
		}
	}
	fmt.Printf("partitions=%d seconds=%.3f ready_seconds=%.3f\n", len(p.topics)*p.partitions,
		created.Seconds(), time.Since(began).Seconds())
	return nil
}

func value(topic string, partition int32, round int) string {
	return fmt.Sprintf("%s/%d/%d", topic, partition, round)
}

func produce(ctx context.Context, p plan) error {
	client, err := p.client(kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(len(p.topics)*p.partitions), kgo.ProducerLinger(50*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	began := time.Now()
	var acked, misplaced, failed atomic.Int64
	for partition := range int32(p.partitions) {
		for _, topic := range p.topics {
			record := &kgo.Record{
				Topic:     topic,
				Partition: partition,
				Value:     []byte(value(topic, partition, p.rounds)),
			}
			client.Produce(ctx, record, func(r *kgo.Record, err error) {
				switch {
				case err != nil:
					failed.Add(1)
					fmt.Fprintln(os.Stderr, err)
				case r.Offset != int64(p.rounds):
					misplaced.Add(1)
				default:
					acked.Add(1)
				}
			})
		}
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	fmt.Printf("records=%d failed=%d misplaced=%d seconds=%.3f\n", acked.Load(), failed.Load(),
		misplaced.Load(), time.Since(began).Seconds())
	return nil
}

func consume(ctx context.Context, p plan) error {
	client, err := p.client(kgo.ConsumeTopics(p.topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer client.Close()
	began := time.Now()
	next := map[string]int{}
	records, wrong := 0, 0
	wanted := len(p.topics) * p.partitions * p.rounds
	for records < wanted && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		fetches.EachError(func(topic string, partition int32, err error) {
			fmt.Fprintln(os.Stderr, topic, partition, err)
		})
		fetches.EachRecord(func(record *kgo.Record) {
			place := fmt.Sprintf("%s/%d", record.Topic, record.Partition)
			round := next[place]
			next[place]++
			records++
			if record.Offset != int64(round) ||
				string(record.Value) != value(record.Topic, record.Partition, round) {
				wrong++
			}
		})
	}
	fmt.Printf("records=%d partitions=%d wrong=%d seconds=%.3f\n", records, len(next), wrong,
		time.Since(began).Seconds())
	return nil
}

func metadata(_ context.Context, p plan) error {
	conn, err := wire.Dial(p.bootstrap)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := kmsg.NewPtrMetadataRequest()
	request.Version = 12
	began := time.Now()
	if err := conn.SetDeadline(began.Add(callLimit)); err != nil {
		return err
	}
	if _, err := conn.Write(conn.Frame(request)); err != nil {
		return err
	}
	answer, err := conn.ReadAnswer()
	if err != nil {
		return err
	}
	fmt.Printf("bytes=%d seconds=%.3f\n", len(answer)+8, time.Since(began).Seconds())
	return nil
}
