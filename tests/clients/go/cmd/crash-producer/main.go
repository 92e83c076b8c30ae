// Command crash-producer produces with franz-go while its broker is killed and restarted, and
// writes a line `<partition> <offset> <value>` for each acknowledged record.
//
// It runs until SIGTERM, then waits for what is in flight. Every value is unique. A record that
// fails for good is written as `ERROR <value> <reason>`: with a broker that keeps its promises
// there is none, because nothing here has a time limit.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	tick         = 10 * time.Millisecond
	flushLimit   = 30 * time.Second
	paddingMax   = 400
	inFlightMax  = 20_000
	retryBackoff = 100 * time.Millisecond
)

type settings struct {
	bootstrap, topic, name, acks string
	partitions, rate             int
	idempotent                   bool
}

func main() {
	var s settings
	flag.StringVar(&s.bootstrap, "bootstrap", "", "HOST:PORT of the broker")
	flag.StringVar(&s.topic, "topic", "", "topic to produce to")
	flag.IntVar(&s.partitions, "partitions", 1, "partitions of the topic")
	flag.StringVar(&s.name, "name", "", "prefix of every value; unique among the producers")
	flag.StringVar(&s.acks, "acked", "", "file that acknowledged records are written to")
	flag.IntVar(&s.rate, "rate", 1000, "records per second")
	flag.BoolVar(&s.idempotent, "idempotent", false, "produce idempotently")
	flag.Parse()
	if err := run(s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// journal writes one line for each outcome. The process outlives the broker, so a buffer is safe;
// it is flushed on every tick, for the driver watches the file grow.
type journal struct {
	mutex sync.Mutex
	file  *bufio.Writer
}

func (j *journal) line(format string, arguments ...any) {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	fmt.Fprintf(j.file, format+"\n", arguments...)
}

func (j *journal) flush() error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	return j.file.Flush()
}

func run(s settings) error {
	file, err := os.Create(s.acks)
	if err != nil {
		return err
	}
	acked := &journal{file: bufio.NewWriter(file)}
	options := []kgo.Opt{
		kgo.SeedBrokers(s.bootstrap),
		kgo.DefaultProduceTopic(s.topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.MaxBufferedRecords(inFlightMax),
		kgo.RetryBackoffFn(func(int) time.Duration { return retryBackoff }),
		kgo.MetadataMinAge(retryBackoff),
		// A broker that has lost a producer's state is to be found out, not worked around.
		kgo.StopProducerOnDataLossDetected(),
	}
	if !s.idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	produce(stop, client, s, acked)

	ctx, cancel := context.WithTimeout(context.Background(), flushLimit)
	defer cancel()
	flushError := client.Flush(ctx)
	client.Close()
	if err := acked.flush(); err != nil {
		return err
	}
	if flushError != nil {
		return fmt.Errorf("records are still in flight after %s: %w", flushLimit, flushError)
	}
	return file.Close()
}

func produce(stop context.Context, client *kgo.Client, s settings, acked *journal) {
	random := rand.New(rand.NewSource(time.Now().UnixNano()))
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	perTick := max(1, s.rate*int(tick)/int(time.Second))
	for number := 0; ; {
		select {
		case <-stop.Done():
			return
		case <-ticker.C:
		}
		for range perTick {
			value := fmt.Sprintf("%s-%d", s.name, number)
			number++
			padding := strings.Repeat("x", random.Intn(paddingMax))
			record := &kgo.Record{
				Partition: int32(random.Intn(s.partitions)),
				Key:       []byte(value),
				Value:     []byte(padding),
			}
			// A full buffer must not hold up the loop while the broker is away.
			client.TryProduce(context.Background(), record, func(r *kgo.Record, err error) {
				switch {
				case err == kgo.ErrMaxBuffered: // never sent
				case err != nil:
					acked.line("ERROR %s %v", r.Key, err)
				default:
					acked.line("%d %d %s", r.Partition, r.Offset, r.Key)
				}
			})
		}
		if err := acked.flush(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
	}
}
