package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"millstream/tests/clients/internal/cases"
)

func (f *franz) ReadCommitted(ctx context.Context, topic string, count int) ([]cases.Record, error) {
	start := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}
	client, err := f.connect(kgo.ConsumePartitions(start), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	got, err := poll(ctx, client, count)
	return converted(got), err
}

// Transact uses a plain transactional client, or a group's session where offsets go along: kgo commits in
// a transaction what its session has polled.
func (f *franz) Transact(ctx context.Context, id string, transactions []cases.Transaction) error {
	options := []kgo.Opt{kgo.TransactionalID(id), kgo.RecordPartitioner(kgo.ManualPartitioner())}
	if transactions[0].Offset != nil {
		return f.transactInGroup(ctx, options, transactions)
	}
	client, err := f.connect(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, transaction := range transactions {
		if err := client.BeginTransaction(); err != nil {
			return err
		}
		if err := client.ProduceSync(ctx, outgoing(transaction)...).FirstErr(); err != nil {
			return err
		}
		if err := client.EndTransaction(ctx, kgo.TransactionEndTry(transaction.Commits)); err != nil {
			return err
		}
	}
	return nil
}

func outgoing(transaction cases.Transaction) []*kgo.Record {
	records := make([]*kgo.Record, len(transaction.Records))
	for i, record := range transaction.Records {
		records[i] = &kgo.Record{Topic: transaction.Topic, Key: record.Key, Value: record.Value}
	}
	return records
}

func (f *franz) transactInGroup(ctx context.Context, options []kgo.Opt, transactions []cases.Transaction) error {
	offset := transactions[0].Offset
	options = append(options, kgo.SeedBrokers(f.bootstrap), kgo.RequireStableFetchOffsets())
	session, err := kgo.NewGroupTransactSession(append(options, groupOptions(offset.Group, offset.Topic)...)...)
	if err != nil {
		return err
	}
	defer session.Close()
	for _, transaction := range transactions {
		if err := session.Begin(); err != nil {
			return err
		}
		if err := readUpTo(ctx, session, transaction.Offset.Offset); err != nil {
			return err
		}
		if err := session.ProduceSync(ctx, outgoing(transaction)...).FirstErr(); err != nil {
			return err
		}
		committed, err := session.End(ctx, kgo.TransactionEndTry(transaction.Commits))
		if err != nil {
			return err
		}
		if committed != transaction.Commits {
			return fmt.Errorf("a transaction ended with committed=%t", committed)
		}
	}
	return nil
}

// readUpTo polls until the session stands at an offset.
func readUpTo(ctx context.Context, session *kgo.GroupTransactSession, offset int64) error {
	ctx, cancel := context.WithTimeout(ctx, cases.ReadLimit)
	defer cancel()
	for at := int64(0); at < offset; {
		fetches := session.PollRecords(ctx, 1)
		if err := fetches.Err(); err != nil {
			return err
		}
		fetches.EachRecord(func(record *kgo.Record) { at = record.Offset + 1 })
	}
	return nil
}
