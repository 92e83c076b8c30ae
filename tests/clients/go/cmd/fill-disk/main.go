// Command fill-disk produces until a broker cannot store any more, and checks what it was told.
//
//	fill-disk fill  HOST:PORT TOPIC JOURNAL ERRORS LIMIT_BYTES
//	fill-disk check HOST:PORT TOPIC JOURNAL
//	fill-disk delete HOST:PORT TOPIC
//
// `fill` sends one batch with one record at a time on a plain socket, so that every error code is
// the broker's own, appends a line `<offset> <number>` to the journal for each acknowledgement, and
// ends after ERRORS refusals in a row or LIMIT_BYTES. `check` reads partition 0 with franz-go from
// its beginning and compares: every acknowledged record is at its offset with its own bytes.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"millstream/tests/clients/internal/wire"
)

const (
	recordBytes = 256 << 10
	askLimit    = 20 * time.Second
	answerLimit = 60 * time.Second
	readLimit   = 5 * time.Minute
	// Between a refusal and the next attempt, as clients do it.
	backoff = 100 * time.Millisecond
)

func main() {
	var err error
	switch {
	case len(os.Args) == 7 && os.Args[1] == "fill":
		err = fill(os.Args[2], os.Args[3], os.Args[4], os.Args[5], os.Args[6])
	case len(os.Args) == 5 && os.Args[1] == "check":
		err = check(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 4 && os.Args[1] == "delete":
		err = remove(os.Args[2], os.Args[3])
	default:
		err = errors.New("usage: see the head of main.go")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// payload is the record's value: bytes that follow from its number and do not compress.
func payload(number int64) []byte {
	value := make([]byte, recordBytes)
	rand.New(rand.NewSource(number)).Read(value)
	return value
}

func fill(address, topic, path, errorsText, bytesText string) error {
	errorsMax, err := strconv.Atoi(errorsText)
	if err != nil {
		return err
	}
	bytesMax, err := strconv.ParseInt(bytesText, 10, 64)
	if err != nil {
		return err
	}
	journal, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer journal.Close()
	conn, err := wire.Dial(address)
	if err != nil {
		return err
	}
	defer func() { conn.Close() }()
	codes := map[string]int{}
	fatal, closed, inARow, acked := 0, 0, 0, int64(0)
	for number := time.Now().UnixNano(); inARow < errorsMax && acked*recordBytes < bytesMax; number++ {
		records := wire.Record(0, []byte(strconv.FormatInt(number, 10)), payload(number))
		request := wire.Produce(topic, 0, wire.Batch(records, 1, 0), askLimit)
		answer, err := conn.Ask(request, answerLimit)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			closed++
			inARow++
			conn.Close()
			if conn, err = wire.Dial(address); err != nil {
				return err
			}
			continue
		}
		of, err := wire.Produced(answer)
		if err != nil {
			return err
		}
		if of.ErrorCode == 0 {
			acked++
			inARow = 0
			if _, err := fmt.Fprintf(journal, "%d %d\n", of.BaseOffset, number); err != nil {
				return err
			}
			continue
		}
		inARow++
		time.Sleep(backoff)
		code := kerr.ErrorForCode(of.ErrorCode)
		codes[kerr.TypedErrorForCode(of.ErrorCode).Message]++
		if !kerr.IsRetriable(code) {
			fatal++
		}
	}
	fmt.Printf("acked=%d bytes=%d closed=%d fatal=%d codes=%s\n", acked, acked*recordBytes, closed,
		fatal, list(codes))
	return nil
}

func list(codes map[string]int) string {
	names := []string{}
	for name, count := range codes {
		names = append(names, fmt.Sprintf("%s:%d", name, count))
	}
	sort.Strings(names)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

func check(address, topic, path string) error {
	acked, err := read(path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return err
	}
	end, found := ends.Lookup(topic, 0)
	if !found || end.Err != nil {
		return fmt.Errorf("no end offset: %w", end.Err)
	}
	records, good, wrong, next := 0, 0, 0, int64(0)
	for next < end.Offset && ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		fetches.EachRecord(func(record *kgo.Record) {
			records++
			if record.Offset != next {
				wrong++
			}
			next = record.Offset + 1
			number, err := strconv.ParseInt(string(record.Key), 10, 64)
			told, is := acked[record.Offset]
			switch {
			case err != nil || !bytes.Equal(record.Value, payload(number)) || (is && told != number):
				wrong++
			case is:
				good++
			}
		})
	}
	fmt.Printf("records=%d acked=%d good=%d wrong=%d\n", records, len(acked), good, wrong)
	return nil
}

func remove(address, topic string) error {
	ctx, cancel := context.WithTimeout(context.Background(), answerLimit)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer client.Close()
	answer, err := kadm.NewClient(client).DeleteTopic(ctx, topic)
	if err != nil {
		return err
	}
	return answer.Err
}

func read(path string) (map[int64]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	acked := map[int64]int64{}
	reader := bufio.NewReader(file)
	for {
		var offset, number int64
		_, err := fmt.Fscanf(reader, "%d %d\n", &offset, &number)
		if errors.Is(err, io.EOF) {
			return acked, nil
		}
		if err != nil {
			return nil, err
		}
		acked[offset] = number
	}
}
