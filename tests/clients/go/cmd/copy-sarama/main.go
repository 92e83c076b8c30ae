// Command copy-sarama copies a topic exactly once with Sarama: partitions assigned by hand, offsets in the
// producer's transaction. Sarama names no generation with its offsets (KIP-447), so one transactional id
// stands for all partitions, and a newer producer fences the older.
package main

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"millstream/tests/clients/internal/copier"
)

// How long a transaction gathers records.
const linger = 50 * time.Millisecond

func main() {
	c := copier.Parse()
	for {
		c.Failed(run(c))
	}
}

func config(c *copier.Copier) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Net.MaxOpenRequests = 1
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	config.Producer.Return.Errors = true
	config.Producer.Partitioner = sarama.NewHashPartitioner
	config.Producer.Retry.Max = 100
	config.Producer.Retry.Backoff = 100 * time.Millisecond
	config.Producer.Transaction.ID = c.Name
	config.Producer.Transaction.Timeout = copier.Timeout
	config.Producer.Transaction.Retry.Max = 100
	config.Producer.Transaction.Retry.Backoff = 100 * time.Millisecond
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.Return.Errors = true
	config.Metadata.Retry.Max = 100
	config.Metadata.Retry.Backoff = 100 * time.Millisecond
	return config
}

func run(c *copier.Copier) error {
	client, err := sarama.NewClient([]string{c.Bootstrap}, config(c))
	if err != nil {
		return err
	}
	defer client.Close()
	// The producer first: once it has its epoch, no transaction of the one before is open, and the
	// offsets that are read then are final.
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		return err
	}
	defer producer.Close()
	for {
		if err := consume(c, client, producer); err != nil {
			return err
		}
	}
}

// consume copies from the committed offsets on, until a transaction is aborted.
func consume(c *copier.Copier, client sarama.Client, producer sarama.SyncProducer) error {
	offsets, err := committed(c, client)
	if err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	defer consumer.Close()
	messages := make(chan *sarama.ConsumerMessage)
	failed := make(chan error, c.Partitions)
	done := make(chan struct{})
	defer close(done)
	for partition, offset := range offsets {
		reader, err := consumer.ConsumePartition(c.Input, partition, offset)
		if err != nil {
			return err
		}
		defer reader.AsyncClose()
		go forward(reader, messages, failed, done)
	}
	for {
		batch, err := gather(messages, failed)
		if err != nil {
			return err
		}
		intent := c.Intent()
		if err := copyOnce(c, producer, batch, intent); err != nil {
			return err
		}
		c.Ended(intent, len(batch))
		if intent == copier.Abort {
			return nil
		}
	}
}

func forward(reader sarama.PartitionConsumer, messages chan<- *sarama.ConsumerMessage, failed chan<- error, done <-chan struct{}) {
	for {
		select {
		case message, open := <-reader.Messages():
			if !open {
				failed <- fmt.Errorf("a partition is no longer read")
				return
			}
			select {
			case messages <- message:
			case <-done:
				return
			}
		case err := <-reader.Errors():
			if err != nil {
				failed <- err
				return
			}
		case <-done:
			return
		}
	}
}

func gather(messages <-chan *sarama.ConsumerMessage, failed <-chan error) ([]*sarama.ConsumerMessage, error) {
	var batch []*sarama.ConsumerMessage
	var over <-chan time.Time
	for len(batch) < copier.RecordsMax {
		select {
		case message := <-messages:
			if batch == nil {
				over = time.After(linger)
			}
			batch = append(batch, message)
		case err := <-failed:
			return nil, err
		case <-over:
			return batch, nil
		}
	}
	return batch, nil
}

func copyOnce(c *copier.Copier, producer sarama.SyncProducer, batch []*sarama.ConsumerMessage, intent string) error {
	if err := producer.BeginTxn(); err != nil {
		return err
	}
	copies := make([]*sarama.ProducerMessage, 0, len(batch))
	next := map[int32]int64{}
	for _, message := range batch {
		copies = append(copies, &sarama.ProducerMessage{
			Topic: c.Output,
			Key:   sarama.ByteEncoder(message.Key),
			Value: sarama.StringEncoder(intent),
		})
		next[message.Partition] = message.Offset + 1
	}
	if err := producer.SendMessages(copies); err != nil {
		return err
	}
	var read []*sarama.PartitionOffsetMetadata
	for partition, offset := range next {
		read = append(read, &sarama.PartitionOffsetMetadata{Partition: partition, Offset: offset})
	}
	if err := producer.AddOffsetsToTxn(map[string][]*sarama.PartitionOffsetMetadata{c.Input: read}, c.Group()); err != nil {
		return err
	}
	if intent == copier.Abort {
		return producer.AbortTxn()
	}
	return producer.CommitTxn()
}

func committed(c *copier.Copier, client sarama.Client) (map[int32]int64, error) {
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return nil, err
	}
	var partitions []int32
	for partition := range c.Partitions {
		partitions = append(partitions, partition)
	}
	answer, err := admin.ListConsumerGroupOffsets(c.Group(), map[string][]int32{c.Input: partitions})
	if err != nil {
		return nil, err
	}
	offsets := map[int32]int64{}
	for _, partition := range partitions {
		block := answer.GetBlock(c.Input, partition)
		switch {
		case block == nil:
			return nil, fmt.Errorf("no answer about partition %d", partition)
		case block.Err != sarama.ErrNoError:
			return nil, block.Err
		case block.Offset < 0:
			offsets[partition] = sarama.OffsetOldest
		default:
			offsets[partition] = block.Offset
		}
	}
	return offsets, nil
}
