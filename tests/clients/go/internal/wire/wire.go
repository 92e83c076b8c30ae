// Package wire speaks Kafka's protocol over plain sockets, for programs that want to be answered,
// or refused, without a client's retries in between.
package wire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Answers beyond this are taken for a broken stream.
const answerBytesMax = 256 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Conn is one connection with one request in flight.
type Conn struct {
	net.Conn
	formatter   *kmsg.RequestFormatter
	correlation int32
}

// Dial connects.
func Dial(address string) (*Conn, error) {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return nil, err
	}
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("trial"))
	return &Conn{Conn: conn, formatter: formatter}, nil
}

// Frame is a whole request as it goes over the wire, at the version that is set in it.
func (c *Conn) Frame(request kmsg.Request) []byte {
	c.correlation++
	return c.formatter.AppendRequest(nil, request, c.correlation)
}

// Ask sends a request and reads its answer within the limit.
func (c *Conn) Ask(request kmsg.Request, limit time.Duration) (kmsg.Response, error) {
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	if _, err := c.Write(c.Frame(request)); err != nil {
		return nil, err
	}
	body, err := c.ReadAnswer()
	if err != nil {
		return nil, err
	}
	response := request.ResponseKind()
	response.SetVersion(request.GetVersion())
	// Flexible answers have tagged fields behind the correlation id; ApiVersions never has.
	if request.IsFlexible() && request.Key() != 18 {
		if len(body) == 0 || body[0] != 0 {
			return nil, fmt.Errorf("unexpected tagged fields in the header of an answer")
		}
		body = body[1:]
	}
	return response, response.ReadFrom(body)
}

// ReadAnswer reads one frame and checks its correlation id; what it gives back begins after that.
func (c *Conn) ReadAnswer() ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return nil, err
	}
	length := int32(binary.BigEndian.Uint32(head[:4]))
	if length < 4 || length > answerBytesMax {
		return nil, fmt.Errorf("an answer of %d bytes", length)
	}
	if got := int32(binary.BigEndian.Uint32(head[4:])); got != c.correlation {
		return nil, fmt.Errorf("an answer to request %d, not to %d", got, c.correlation)
	}
	body := make([]byte, length-4)
	_, err := io.ReadFull(c, body)
	return body, err
}

// Batch is a record batch around records that are encoded, and perhaps compressed, already.
func Batch(records []byte, count int32, codec int16) []byte {
	now := time.Now().UnixMilli()
	batch := kmsg.NewRecordBatch()
	batch.Magic = 2
	batch.Attributes = codec
	batch.LastOffsetDelta = count - 1
	batch.FirstTimestamp, batch.MaxTimestamp = now, now
	batch.ProducerID, batch.ProducerEpoch, batch.FirstSequence = -1, -1, -1
	batch.PartitionLeaderEpoch = -1
	batch.NumRecords = count
	batch.Records = records
	bytes := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(bytes[8:], uint32(len(bytes)-12))
	Seal(bytes)
	return bytes
}

// Seal writes the checksum that belongs to the bytes.
func Seal(batch []byte) {
	binary.BigEndian.PutUint32(batch[17:], crc32.Checksum(batch[21:], castagnoli))
}

// Record is one encoded record.
func Record(offsetDelta int32, key, value []byte) []byte {
	record := kmsg.NewRecord()
	record.OffsetDelta = offsetDelta
	record.Key, record.Value = key, value
	// The length counts what follows it; one byte stands there for it while it is not known.
	record.Length = int32(len(record.AppendTo(nil)) - 1)
	return record.AppendTo(nil)
}

// Produce is a request with one batch for one partition, acknowledged by all.
func Produce(topic string, partition int32, batch []byte, limit time.Duration) *kmsg.ProduceRequest {
	request := kmsg.NewPtrProduceRequest()
	request.Version = 9
	request.Acks = -1
	request.TimeoutMillis = int32(limit.Milliseconds())
	ofTopic := kmsg.NewProduceRequestTopic()
	ofTopic.Topic = topic
	ofPartition := kmsg.NewProduceRequestTopicPartition()
	ofPartition.Partition = partition
	ofPartition.Records = batch
	ofTopic.Partitions = append(ofTopic.Partitions, ofPartition)
	request.Topics = append(request.Topics, ofTopic)
	return request
}

// Produced is the one partition's part of an answer to Produce.
func Produced(answer kmsg.Response) (kmsg.ProduceResponseTopicPartition, error) {
	response, is := answer.(*kmsg.ProduceResponse)
	if !is || len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return kmsg.ProduceResponseTopicPartition{}, fmt.Errorf("not an answer for one partition")
	}
	return response.Topics[0].Partitions[0], nil
}
