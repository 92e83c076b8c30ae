// Command watch-committed reads committed records of several topics from their first offset on, without end,
// while their broker is killed and restarted, and writes a line `<topic> <key> <value>` for each record as
// it is shown. What was shown once cannot be taken back, so the journal also shows what was visible too early.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const pollLimit = 100 * time.Millisecond

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintf(os.Stderr, "usage: %s HOST:PORT JOURNAL TOPIC...\n", os.Args[0])
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(bootstrap, path string, topics []string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	journal := bufio.NewWriter(file)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	for stop.Err() == nil {
		ctx, done := context.WithTimeout(stop, pollLimit)
		fetches := client.PollFetches(ctx)
		done()
		// Errors pass: the broker comes back. What matters is what is shown.
		fetches.EachRecord(func(record *kgo.Record) {
			fmt.Fprintf(journal, "%s %s %s\n", record.Topic, record.Key, record.Value)
		})
		if err := journal.Flush(); err != nil {
			return err
		}
	}
	return file.Close()
}
