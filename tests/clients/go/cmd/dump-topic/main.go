// Command dump-topic reads every partition of a topic from its first offset to the end that it had
// when the command began, and prints `<partition> <offset> <key>` for each record, in the order in
// which the broker gives them. With `committed` it reads committed records only, and prints
// `<partition> <offset> <key> <value>`.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const limit = 5 * time.Minute

func main() {
	committed := len(os.Args) == 4 && os.Args[3] == "committed"
	if len(os.Args) != 3 && !committed {
		fmt.Fprintf(os.Stderr, "usage: %s HOST:PORT TOPIC [committed]\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], committed); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(bootstrap, topic string, committed bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		// The last record of a partition may be the marker of a transaction.
		kgo.KeepControlRecords(),
	}
	if committed {
		options = append(options, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	admin := kadm.NewClient(client)
	list := admin.ListEndOffsets
	if committed {
		list = admin.ListCommittedOffsets
	}
	listed, err := list(ctx, topic)
	if err != nil {
		return err
	}
	if err := listed.Error(); err != nil {
		return err
	}
	// The partitions that are not read to their end yet, and that end.
	left := map[int32]int64{}
	listed.Each(func(end kadm.ListedOffset) {
		if end.Offset > 0 {
			left[end.Partition] = end.Offset
		}
	})
	out := bufio.NewWriter(os.Stdout)
	for len(left) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) {
			switch {
			case record.Attrs.IsControl():
			case committed:
				fmt.Fprintf(out, "%d %d %s %s\n", record.Partition, record.Offset, record.Key, record.Value)
			default:
				fmt.Fprintf(out, "%d %d %s\n", record.Partition, record.Offset, record.Key)
			}
			if record.Offset+1 >= left[record.Partition] {
				delete(left, record.Partition)
			}
		})
	}
	return out.Flush()
}
