package cases

import (
	"context"
	"fmt"
	"slices"
)

// transaction commits two transactions and aborts one between them; records of none follow.
func (c *Cases) transaction(ctx context.Context) error {
	name, err := c.topic(ctx, "transaction", 1)
	if err != nil {
		return err
	}
	first, aborted, second := makeRecords("first", 20, 100), makeRecords("aborted", 20, 100), makeRecords("second", 20, 100)
	last := makeRecords("plain", 20, 100)
	err = c.client.Transact(ctx, name, []Transaction{
		{Topic: name, Records: first, Commits: true},
		{Topic: name, Records: aborted},
		{Topic: name, Records: second, Commits: true},
	})
	if err != nil {
		return err
	}
	if err := c.client.Produce(ctx, name, last, plain); err != nil {
		return err
	}
	wanted := slices.Concat(first, second, last)
	got, err := c.client.ReadCommitted(ctx, name, len(wanted))
	if err != nil {
		return err
	}
	if len(got) != len(wanted) {
		return fmt.Errorf("%d committed records of %d", len(got), len(wanted))
	}
	for i, record := range got {
		if !sameBytes(record.Value, wanted[i].Value) {
			return fmt.Errorf("another record at offset %d", record.Offset)
		}
	}
	return nil
}

// transactionOffsets: an offset counts for its group once its transaction is committed, and never if
// that is aborted.
func (c *Cases) transactionOffsets(ctx context.Context) error {
	source, err := c.topic(ctx, "transaction-source", 1)
	if err != nil {
		return err
	}
	if err := c.client.Produce(ctx, source, makeRecords("source", 10, 100), plain); err != nil {
		return err
	}
	copies, err := c.topic(ctx, "transaction-copies", 1)
	if err != nil {
		return err
	}
	group := "transaction-" + c.suffix
	moved := func(offset int64, commits bool) Transaction {
		return Transaction{
			Topic: copies, Records: makeRecords("copy", 3, 100), Commits: commits,
			Offset: &GroupOffset{Group: group, Topic: source, Offset: offset},
		}
	}
	if err := c.client.Transact(ctx, group, []Transaction{moved(4, true), moved(9, false)}); err != nil {
		return err
	}
	if err := c.nextOffsets(ctx, group, source, 4, 5, 6); err != nil {
		return fmt.Errorf("after a commit and an abort: %w", err)
	}
	if err := c.client.Transact(ctx, group, []Transaction{moved(9, true)}); err != nil {
		return err
	}
	if err := c.nextOffsets(ctx, group, source, 9); err != nil {
		return fmt.Errorf("after another commit: %w", err)
	}
	return nil
}

// nextOffsets demands that a group goes on at these offsets.
func (c *Cases) nextOffsets(ctx context.Context, group, topic string, wanted ...int64) error {
	got, err := c.client.ReadInGroup(ctx, group, topic, len(wanted))
	if err != nil {
		return err
	}
	var found []int64
	for _, record := range got {
		found = append(found, record.Offset)
	}
	if !slices.Equal(found, wanted) {
		return fmt.Errorf("read offsets %v, wanted %v", found, wanted)
	}
	return nil
}
