package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"millstream/tests/clients/internal/wire"
)

// silent connections ask for as much as there is, again and again, and read nothing.
func silent(address string, count, _ int) error {
	const (
		topic      = "wide"
		partitions = 500
		hold       = 5 * time.Second
	)
	client, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic),
		kgo.MaxBufferedRecords(1000), kgo.BrokerMaxWriteBytes(8<<20),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	_, err = kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, topic)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return err
	}
	// Something large to be asked for.
	for range 600 {
		client.Produce(ctx, &kgo.Record{Value: noise(100 << 10)}, nil)
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	var mutex sync.Mutex
	var group sync.WaitGroup
	written := 0
	for number := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			sent, err := askAndIgnore(address, topic, partitions, number, hold)
			mutex.Lock()
			defer mutex.Unlock()
			written += sent
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
			}
		}()
	}
	time.Sleep(hold / 2)
	began := time.Now()
	err = good(address)
	took := time.Since(began)
	group.Wait()
	fmt.Printf("connections=%d requests=%d bystander_seconds=%.3f\n", count, written, took.Seconds())
	return err
}

// askAndIgnore writes requests until the broker takes no more, then keeps the connection a while.
func askAndIgnore(address, topic string, partitions, number int, hold time.Duration) (int, error) {
	conn, err := wire.Dial(address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(hold)); err != nil {
		return 0, err
	}
	frame := fetchAll(conn, topic, partitions)
	if number%2 == 0 {
		metadata := kmsg.NewPtrMetadataRequest()
		metadata.Version = 9
		frame = conn.Frame(metadata)
	}
	for sent := 0; ; sent++ {
		if _, err := conn.Write(frame); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return sent, nil
			}
			return sent, err
		}
	}
}

func fetchAll(conn *wire.Conn, topic string, partitions int) []byte {
	request := kmsg.NewPtrFetchRequest()
	request.Version = 11
	request.MaxWaitMillis, request.MinBytes, request.MaxBytes = 100, 1, 50<<20
	request.SessionEpoch = -1
	of := kmsg.NewFetchRequestTopic()
	of.Topic = topic
	for partition := range int32(partitions) {
		one := kmsg.NewFetchRequestTopicPartition()
		one.Partition, one.PartitionMaxBytes, one.CurrentLeaderEpoch = partition, 10<<20, -1
		of.Partitions = append(of.Partitions, one)
	}
	request.Topics = append(request.Topics, of)
	return conn.Frame(request)
}

// idle connections do nothing; every second one has asked one thing before.
func idle(address string, count, pid int) error {
	before, err := memory(pid)
	if err != nil {
		return err
	}
	conns := make([]*wire.Conn, 0, count)
	defer func() {
		for _, conn := range conns {
			conn.Close()
		}
	}()
	for number := range count {
		conn, err := wire.Dial(address)
		if err != nil {
			return fmt.Errorf("connection %d: %w", number, err)
		}
		conns = append(conns, conn)
		if number%2 == 0 {
			if _, err := conn.Ask(apiVersions(), patience); err != nil {
				return fmt.Errorf("connection %d: %w", number, err)
			}
		}
	}
	during, err := memory(pid)
	if err != nil {
		return err
	}
	if err := good(address); err != nil {
		return err
	}
	// All of them are still there, and still served.
	unserved := 0
	for _, conn := range conns {
		if _, err := conn.Ask(apiVersions(), patience); err != nil {
			unserved++
		}
	}
	after, err := memory(pid)
	fmt.Printf("connections=%d unserved=%d before_bytes=%d idle_bytes=%d used_bytes=%d each_bytes=%d\n",
		count, unserved, before, during, after, (max(during, before)-before)/int64(count))
	return err
}

// memory is what a process has resident.
func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, found := strings.CutPrefix(line, "VmRSS:"); found {
			kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("no VmRSS")
}
