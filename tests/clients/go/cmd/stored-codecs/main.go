// Command stored-codecs reads topics from the beginning and prints, for each, the codecs of the
// batches as they are stored. A client that silently falls back to no compression (librdkafka
// does, when a broker advertises too few versions of Produce) passes a round trip and is caught
// here.
//
// Output: one line `STORED <topic> <codec>[,<codec>]` for each topic that was named.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const limit = 60 * time.Second

var names = []string{"none", "gzip", "snappy", "lz4", "zstd"}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintf(os.Stderr, "usage: %s HOST:PORT TOPIC-PREFIX\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(bootstrap, prefix string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	topics, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	wanted := slices.DeleteFunc(topics.Names(), func(name string) bool {
		return !strings.HasPrefix(name, prefix)
	})
	if len(wanted) == 0 {
		return nil
	}
	ends, err := admin.ListEndOffsets(ctx, wanted...)
	if err != nil {
		return err
	}
	found, err := readAll(ctx, bootstrap, wanted, ends)
	for _, topic := range wanted {
		fmt.Printf("STORED %s %s\n", topic, strings.Join(found[topic], ","))
	}
	return err
}

// readAll reads every topic to the end that it had at the start and collects its codecs.
func readAll(
	ctx context.Context, bootstrap string, topics []string, ends kadm.ListedOffsets,
) (map[string][]string, error) {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	left := int64(0)
	ends.Each(func(end kadm.ListedOffset) { left += end.Offset })
	found := map[string][]string{}
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return found, err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			left--
			codec := names[record.Attrs.CompressionType()]
			if !slices.Contains(found[record.Topic], codec) {
				found[record.Topic] = append(found[record.Topic], codec)
			}
		})
	}
	return found, nil
}
