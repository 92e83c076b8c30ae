package main

import (
	"context"
	"errors"

	"github.com/IBM/sarama"

	"millstream/tests/clients/internal/cases"
)

func (s *stock) ReadCommitted(ctx context.Context, topic string, count int) ([]cases.Record, error) {
	settings := config()
	settings.Consumer.IsolationLevel = sarama.ReadCommitted
	return s.read(ctx, settings, topic, count, sarama.OffsetOldest)
}

func (s *stock) Transact(_ context.Context, id string, transactions []cases.Transaction) (err error) {
	settings := config()
	settings.Producer.Idempotent = true
	settings.Producer.RequiredAcks = sarama.WaitForAll
	settings.Producer.Transaction.ID = id
	settings.Net.MaxOpenRequests = 1
	producer, err := sarama.NewSyncProducer([]string{s.bootstrap}, settings)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, producer.Close()) }()
	for _, transaction := range transactions {
		if err := transact(producer, transaction); err != nil {
			return err
		}
	}
	return nil
}

func transact(producer sarama.SyncProducer, transaction cases.Transaction) error {
	if err := producer.BeginTxn(); err != nil {
		return err
	}
	messages := make([]*sarama.ProducerMessage, len(transaction.Records))
	for i, record := range transaction.Records {
		messages[i] = message(transaction.Topic, record)
	}
	if err := producer.SendMessages(messages); err != nil {
		return err
	}
	if offset := transaction.Offset; offset != nil {
		moved := []*sarama.PartitionOffsetMetadata{{Partition: 0, Offset: offset.Offset}}
		err := producer.AddOffsetsToTxn(
			map[string][]*sarama.PartitionOffsetMetadata{offset.Topic: moved}, offset.Group,
		)
		if err != nil {
			return err
		}
	}
	if transaction.Commits {
		return producer.CommitTxn()
	}
	return producer.AbortTxn()
}
