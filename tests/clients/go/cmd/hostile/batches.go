package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"millstream/tests/clients/internal/wire"
)

// Codecs as the attributes of a batch name them.
const (
	codecGzip   = 1
	codecSnappy = 2
	codecLz4    = 3
	codecZstd   = 4
)

// target is a topic with one partition and a connection to produce to it.
type target struct {
	admin *kadm.Client
	topic string
	conn  *wire.Conn
	// Answers by the name of their error code; `closed` for a connection that was cut.
	codes map[string]int
}

func newTarget(address, topic string, configs map[string]*string) (*target, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return nil, err
	}
	admin := kadm.NewClient(client)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := admin.CreateTopic(ctx, 1, 1, configs, topic)
	if err == nil {
		err = answer.Err
	}
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return nil, err
	}
	t := &target{admin: admin, topic: topic, codes: map[string]int{}}
	t.conn, err = wire.Dial(address)
	return t, err
}

// send produces a batch and notes what came back.
func (t *target) send(batch []byte) (int16, error) {
	request := wire.Produce(t.topic, 0, batch, patience)
	answer, err := t.conn.Ask(request, patience)
	if err != nil {
		if !errors.Is(err, io.EOF) {
			return 0, err
		}
		t.codes["closed"]++
		t.conn.Close()
		t.conn, err = wire.Dial(t.conn.RemoteAddr().String())
		return -1, err
	}
	of, err := wire.Produced(answer)
	if err != nil {
		return 0, err
	}
	name := "NONE"
	if of.ErrorCode != 0 {
		name = kerr.TypedErrorForCode(of.ErrorCode).Message
	}
	t.codes[name]++
	return of.ErrorCode, nil
}

func (t *target) end() (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	listed, err := t.admin.ListEndOffsets(ctx, t.topic)
	if err != nil {
		return 0, err
	}
	end, found := listed.Lookup(t.topic, 0)
	if !found {
		return 0, errors.New("the topic has no partition 0")
	}
	return end.Offset, end.Err
}

func (t *target) list() string {
	names := []string{}
	for name, count := range t.codes {
		names = append(names, fmt.Sprintf("%s:%d", name, count))
	}
	sort.Strings(names)
	return strings.Join(names, ",")
}

// put overwrites bytes and seals the batch again, so that only its content is a lie.
func put(batch []byte, at int, content ...byte) []byte {
	copy(batch[at:], content)
	wire.Seal(batch)
	return batch
}

// batches sends what must be refused, whole, and nothing of it stored. The topic is compacted: there
// the broker has to look into compressed batches, too.
func batches(address string, _, _ int) error {
	compact := "compact"
	t, err := newTarget(address, "damaged", map[string]*string{"cleanup.policy": &compact})
	if err != nil {
		return err
	}
	record := wire.Record(0, []byte("key"), []byte("value"))
	whole := func() []byte { return wire.Batch(record, 1, 0) }
	flipped := whole()
	flipped[len(flipped)-1] ^= 1
	crc := whole()
	crc[17] ^= 1
	long := whole()
	binary.BigEndian.PutUint32(long[8:], math.MaxInt32)
	negative := whole()
	binary.BigEndian.PutUint32(negative[8:], 0x80000000)
	huge := append([]byte{}, record...)
	huge[0] = 0x7e
	damaged := map[string][]byte{
		"a flipped bit of a value":        flipped,
		"a flipped bit of the checksum":   crc,
		"a length beyond the end":         long,
		"a negative length":               negative,
		"half a batch":                    whole()[:40],
		"half a header":                   whole()[:20],
		"magic 3":                         put(whole(), 16, 3),
		"magic -1":                        put(whole(), 16, 0xff),
		"a negative count":                put(whole(), 57, 0xff, 0xff, 0xff, 0xff),
		"a count of 2147483647":           put(whole(), 57, 0x7f, 0xff, 0xff, 0xff),
		"more records than there are":     put(whole(), 57, 0, 0, 0, 2),
		"a last offset below the first":   put(whole(), 23, 0xff, 0xff, 0xff, 0xfe),
		"a codec that does not exist":     put(whole(), 21, 0, 7),
		"gzip that is none":               wire.Batch([]byte("no gzip at all"), 1, codecGzip),
		"snappy that is none":             wire.Batch([]byte("no snappy at all"), 1, codecSnappy),
		"lz4 that is none":                wire.Batch([]byte("no lz4 at all"), 1, codecLz4),
		"zstd that is none":               wire.Batch([]byte("no zstd at all"), 1, codecZstd),
		"a record longer than the batch":  wire.Batch(huge, 1, 0),
		"records that are noise":          wire.Batch(noise(500), 1, 0),
		"a control batch of a producer":   put(whole(), 21, 0, 0x20),
		"a length that is one too little": shorten(whole()),
	}
	for name, batch := range damaged {
		code, err := t.send(batch)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if code == 0 {
			return fmt.Errorf("%s is taken", name)
		}
	}
	end, err := t.end()
	if err != nil {
		return err
	}
	if end != 0 {
		return fmt.Errorf("%d damaged records are stored", end)
	}
	if code, err := t.send(whole()); err != nil || code != 0 {
		return fmt.Errorf("a good batch afterwards: error %d, %w", code, err)
	}
	fmt.Printf("batches=%d codes=%s\n", len(damaged), t.list())
	return nil
}

func shorten(batch []byte) []byte {
	binary.BigEndian.PutUint32(batch[8:], binary.BigEndian.Uint32(batch[8:])-1)
	return batch
}

// bombs sends batches below the size limit that hold gigabytes, to a compacted topic: its broker
// has to look at every key. Whether they are taken is the broker's choice; that it lives is not.
func bombs(address string, _, _ int) error {
	compact := "compact"
	t, err := newTarget(address, "bombs", map[string]*string{"cleanup.policy": &compact})
	if err != nil {
		return err
	}
	unpacked, packed := int64(0), 0
	all := [][]byte{}
	add := func(codec int16, bytes []byte, size int64) {
		unpacked += size
		packed += len(bytes)
		all = append(all, wire.Batch(bytes, 1, codec))
	}
	for _, bomb := range []struct {
		codec int16
		size  int64
		pack  func(io.Writer) (io.WriteCloser, error)
	}{
		{codecGzip, 900 << 20, func(w io.Writer) (io.WriteCloser, error) {
			return gzip.NewWriterLevel(w, gzip.BestCompression)
		}},
		{codecLz4, 200 << 20, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }},
		{codecZstd, 2000 << 20, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) }},
	} {
		var out bytes.Buffer
		writer, err := bomb.pack(&out)
		if err != nil {
			return err
		}
		if err := zeros(writer, bomb.size); err != nil {
			return err
		}
		add(bomb.codec, out.Bytes(), bomb.size)
	}
	// Snappy packs no better than 1 to 21, but its first bytes announce the size.
	for _, announced := range []uint64{18 << 20, math.MaxUint32, math.MaxUint64 >> 1} {
		block := s2.EncodeSnappy(nil, make([]byte, 18<<20))
		_, length := binary.Uvarint(block)
		block = append(binary.AppendUvarint(nil, announced), block[length:]...)
		add(codecSnappy, block, 18<<20)
	}
	// A zstd frame that announces 2^60 bytes, and one with the largest window.
	for _, frame := range [][]byte{
		{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x10, 1, 0, 0},
		{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 1, 0, 0},
	} {
		add(codecZstd, frame, 0)
	}
	if err := sendTogether(address, t, all); err != nil {
		return err
	}
	fmt.Printf("packed_bytes=%d unpacked_bytes=%d codes=%s\n", packed, unpacked, t.list())
	return nil
}

// sendTogether sends every bomb on several connections at once: what one may cost, many may not.
func sendTogether(address string, first *target, all [][]byte) error {
	const together = 8
	failures := make(chan error, together)
	targets := []*target{first}
	for len(targets) < together {
		conn, err := wire.Dial(address)
		if err != nil {
			return err
		}
		targets = append(targets, &target{topic: first.topic, conn: conn, codes: map[string]int{}})
	}
	for _, t := range targets {
		go func() {
			for _, batch := range all {
				if _, err := t.send(batch); err != nil {
					failures <- err
					return
				}
			}
			failures <- nil
		}()
	}
	for range targets {
		if err := <-failures; err != nil {
			return err
		}
	}
	for _, t := range targets[1:] {
		for name, count := range t.codes {
			first.codes[name] += count
		}
	}
	return nil
}

// zeros writes one well-formed record whose value is that many zeros, less its head.
func zeros(writer io.WriteCloser, size int64) error {
	record := kmsg.NewRecord()
	record.Key = []byte("k")
	head := []byte{0, 0, 0}
	head = binary.AppendVarint(head, int64(len(record.Key)))
	head = append(head, record.Key...)
	head = binary.AppendVarint(head, size)
	length := binary.AppendVarint(nil, int64(len(head))+size+1)
	if _, err := writer.Write(append(length, head...)); err != nil {
		return err
	}
	chunk := make([]byte, 1<<20)
	for left := size + 1; left > 0; left -= int64(len(chunk)) {
		if _, err := writer.Write(chunk[:min(left, int64(len(chunk)))]); err != nil {
			return err
		}
	}
	return writer.Close()
}
