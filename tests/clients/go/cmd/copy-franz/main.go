// Command copy-franz copies a topic exactly once with franz-go's group transact session.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"millstream/tests/clients/internal/copier"
)

const endLimit = 60 * time.Second

func main() {
	c := copier.Parse()
	for {
		c.Failed(run(c))
	}
}

func run(c *copier.Copier) error {
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(c.Bootstrap),
		kgo.TransactionalID(c.Name),
		kgo.TransactionTimeout(copier.Timeout),
		kgo.ConsumerGroup(c.Group()),
		kgo.InstanceID(c.Name),
		kgo.ConsumeTopics(c.Input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.DefaultProduceTopic(c.Output),
		kgo.RetryBackoffFn(func(int) time.Duration { return 100 * time.Millisecond }),
		kgo.MetadataMinAge(100*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	for {
		if err := copyOnce(c, session); err != nil {
			return err
		}
	}
}

func copyOnce(c *copier.Copier, session *kgo.GroupTransactSession) error {
	fetches := session.PollRecords(context.Background(), copier.RecordsMax)
	if err := fetches.Err0(); err != nil {
		return err
	}
	if fetches.NumRecords() == 0 {
		return nil
	}
	if err := session.Begin(); err != nil {
		return err
	}
	intent := c.Intent()
	promise := kgo.AbortingFirstErrPromise(session.Client())
	fetches.EachRecord(func(record *kgo.Record) {
		session.Produce(context.Background(), &kgo.Record{Key: record.Key, Value: []byte(intent)}, promise.Promise())
	})
	failed := promise.Err()
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	committed, err := session.End(ctx, kgo.TransactionEndTry(failed == nil && intent == copier.Commit))
	if err != nil {
		return errors.Join(err, failed)
	}
	if committed == (intent == copier.Commit) {
		c.Ended(intent, fetches.NumRecords())
	}
	return nil
}
