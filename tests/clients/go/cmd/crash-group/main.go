// Command crash-group consumes in a group while its broker is killed and restarted, commits now and
// then, leaves without a word, comes back, and checks each time that the group resumes where it
// committed: at the last commit that was confirmed, or at one that was sent after it and whose
// answer was lost. Inside a session no offset may be skipped or repeated.
//
// A broken promise is written as a line `VIOLATION <text>`, every confirmed commit as
// `COMMIT <partition> <offset>`, every checked resumption as `RESUME <partition> <offset>`. It runs
// until SIGTERM.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	pollLimit         = time.Second
	commitLimit       = 2 * time.Second
	recordsPerPoll    = 500
	pollsPerSession   = 40
	pauseBetweenPolls = 20 * time.Millisecond
	retryBackoff      = 100 * time.Millisecond
)

func main() {
	bootstrap := flag.String("bootstrap", "", "HOST:PORT of the broker")
	topic := flag.String("topic", "", "topic to consume")
	group := flag.String("group", "", "consumer group; nobody else may use it")
	flag.Parse()
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	ledger := &ledger{partitions: map[int32]*progress{}}
	for stop.Err() == nil {
		if err := session(stop, *bootstrap, *topic, *group, ledger); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

// progress is what is known of one partition.
type progress struct {
	// confirmed is the last offset whose commit was acknowledged; -1 before the first.
	confirmed int64
	// unconfirmed are commits sent since then, whose outcome is unknown.
	unconfirmed []int64
	// next is the offset that must come next in this session; -1 when the session begins.
	next int64
}

// ledger outlives the sessions. Rebalance callbacks of the client touch it, hence the lock.
type ledger struct {
	mutex      sync.Mutex
	partitions map[int32]*progress
}

func (l *ledger) partition(partition int32) *progress {
	p, found := l.partitions[partition]
	if !found {
		p = &progress{confirmed: -1, next: -1}
		l.partitions[partition] = p
	}
	return p
}

// restart makes the next record of every partition a resumption.
func (l *ledger) restart() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, p := range l.partitions {
		p.next = -1
	}
}

func (l *ledger) saw(partition int32, offset int64) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	p := l.partition(partition)
	switch {
	case p.next >= 0 && offset != p.next:
		fmt.Printf("VIOLATION partition %d: offset %d came after %d in one session\n", partition, offset, p.next-1)
	case p.next < 0 && !p.mayResumeAt(offset):
		fmt.Printf("VIOLATION partition %d: resumed at %d; confirmed %d, sent since %v\n",
			partition, offset, p.confirmed, p.unconfirmed)
	case p.next < 0:
		fmt.Printf("RESUME %d %d\n", partition, offset)
	}
	p.next = offset + 1
}

func (p *progress) mayResumeAt(offset int64) bool {
	start := max(p.confirmed, 0)
	return offset == start || slices.Contains(p.unconfirmed, offset)
}

func (l *ledger) sent() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for _, p := range l.partitions {
		if p.next > p.confirmed {
			p.unconfirmed = append(p.unconfirmed, p.next)
		}
	}
}

func (l *ledger) confirm() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for partition, p := range l.partitions {
		if p.next > p.confirmed {
			p.confirmed = p.next
			fmt.Printf("COMMIT %d %d\n", partition, p.next)
		}
		if p.next >= 0 {
			p.unconfirmed = nil
		}
	}
}

// session is one life of the consumer: some polls, each with a commit, then a sudden end. The fixed
// instance id lets the next life take its place in the group at once.
func session(stop context.Context, bootstrap, topic, group string, ledger *ledger) error {
	forget := func(context.Context, *kgo.Client, map[string][]int32) { ledger.restart() }
	client, err := kgo.NewClient(
		kgo.SeedBrokers(bootstrap),
		kgo.ConsumerGroup(group),
		kgo.InstanceID("crash-group"),
		kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.Balancers(kgo.RangeBalancer()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(forget),
		kgo.OnPartitionsRevoked(forget),
		kgo.OnPartitionsLost(forget),
		kgo.RetryBackoffFn(func(int) time.Duration { return retryBackoff }),
		kgo.MetadataMinAge(retryBackoff),
	)
	if err != nil {
		return err
	}
	defer client.Close()
	ledger.restart()
	for range pollsPerSession {
		if stop.Err() != nil {
			return nil
		}
		if err := pollAndCommit(client, ledger); err != nil {
			return err
		}
		time.Sleep(pauseBetweenPolls)
	}
	return nil
}

func pollAndCommit(client *kgo.Client, ledger *ledger) error {
	ctx, cancel := context.WithTimeout(context.Background(), pollLimit)
	defer cancel()
	fetches := client.PollRecords(ctx, recordsPerPoll)
	defer client.AllowRebalance()
	records := fetches.Records()
	if len(records) == 0 {
		return nil
	}
	for _, record := range records {
		ledger.saw(record.Partition, record.Offset)
	}
	commit, cancelCommit := context.WithTimeout(context.Background(), commitLimit)
	defer cancelCommit()
	ledger.sent()
	if err := client.CommitRecords(commit, records...); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	ledger.confirm()
	return nil
}
