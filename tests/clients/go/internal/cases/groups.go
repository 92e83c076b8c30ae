package cases

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// load produces to every partition and remembers each value.
type load struct {
	cases *Cases
	topic string
	sent  map[string]bool
}

func (l *load) feed(ctx context.Context, phase string) error {
	records := make([]Record, recordCount)
	for number := range records {
		value := fmt.Sprintf("%s-%d", phase, number)
		records[number] = Record{Partition: int32(number % partitionCount), Value: []byte(value)}
		l.sent[value] = true
	}
	if err := l.cases.client.Produce(ctx, l.topic, records, plain); err != nil {
		return fmt.Errorf("produce while %s: %w", phase, err)
	}
	return nil
}

func (l *load) allSeen(members ...Member) bool {
	seen := map[string]bool{}
	for _, member := range members {
		for value := range member.Values() {
			seen[value] = true
		}
	}
	for value := range l.sent {
		if !seen[value] {
			return false
		}
	}
	return true
}

// groupRebalance lets a second member join and leave in the middle of a load; nothing is missed.
func (c *Cases) groupRebalance(ctx context.Context) (err error) {
	name, err := c.topic(ctx, "rebalance", partitionCount)
	if err != nil {
		return err
	}
	load := load{cases: c, topic: name, sent: map[string]bool{}}
	first, err := c.client.Join(ctx, "rebalance-"+c.suffix, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, first.Leave()) }()
	ownsAll := func() (bool, error) { return len(first.Assignment()) == partitionCount, nil }
	if err := waitUntil(ctx, "one member with every partition", ownsAll); err != nil {
		return err
	}
	if err := load.feed(ctx, "alone"); err != nil {
		return err
	}
	second, err := c.client.Join(ctx, "rebalance-"+c.suffix, name)
	if err != nil {
		return err
	}
	if err := c.shareThenLeave(ctx, &load, first, second); err != nil {
		return err
	}
	if err := load.feed(ctx, "left"); err != nil {
		return err
	}
	if err := waitUntil(ctx, "every partition back at the first member", ownsAll); err != nil {
		return err
	}
	return waitUntil(ctx, "every record seen", func() (bool, error) {
		return load.allSeen(first, second), nil
	})
}

func (c *Cases) shareThenLeave(ctx context.Context, load *load, first, second Member) (err error) {
	defer func() { err = errors.Join(err, second.Leave()) }()
	if err := load.feed(ctx, "joining"); err != nil {
		return err
	}
	shared := func() (bool, error) { return share(first.Assignment(), second.Assignment()), nil }
	if err := waitUntil(ctx, "two members that share the partitions", shared); err != nil {
		return err
	}
	if err := load.feed(ctx, "both"); err != nil {
		return err
	}
	return waitUntil(ctx, "records at the second member", func() (bool, error) {
		return len(second.Values()) > 0, nil
	})
}

// share tells whether two members own every partition, each at least one and none twice.
func share(one, two map[int32]bool) bool {
	for partition := range one {
		if two[partition] {
			return false
		}
	}
	return len(one) > 0 && len(two) > 0 && len(one)+len(two) == partitionCount
}

func (c *Cases) commitResume(ctx context.Context) error {
	name, err := c.topic(ctx, "resume", 1)
	if err != nil {
		return err
	}
	sent := makeRecords("resume", 100, 100)
	if err := c.client.Produce(ctx, name, sent, plain); err != nil {
		return err
	}
	group := "resume-" + c.suffix
	before, err := c.client.ReadInGroup(ctx, group, name, 40)
	if err != nil {
		return err
	}
	if err := sameRecords(before, sent[:40], 0); err != nil {
		return fmt.Errorf("before the commit: %w", err)
	}
	after, err := c.client.ReadInGroup(ctx, group, name, 60)
	if err != nil {
		return err
	}
	if err := sameRecords(after, sent[40:], 40); err != nil {
		return fmt.Errorf("after the commit: %w", err)
	}
	return nil
}

func (c *Cases) groupWithCommit(ctx context.Context, what string) (string, error) {
	name, err := c.topic(ctx, what, 1)
	if err != nil {
		return "", err
	}
	if err := c.client.Produce(ctx, name, makeRecords(what, 5, 100), plain); err != nil {
		return "", err
	}
	group := what + "-" + c.suffix
	_, err = c.client.ReadInGroup(ctx, group, name, 5)
	return group, err
}

func (c *Cases) waitForGroup(ctx context.Context, group string, wanted bool) error {
	return waitUntil(ctx, fmt.Sprintf("the group listed: %t", wanted), func() (bool, error) {
		groups, err := c.client.ListGroups(ctx)
		return groups[group] == wanted, err
	})
}

func (c *Cases) listGroups(ctx context.Context) error {
	group, err := c.groupWithCommit(ctx, "listed")
	if err != nil {
		return err
	}
	return c.waitForGroup(ctx, group, true)
}

func (c *Cases) describeGroup(ctx context.Context) (err error) {
	name, err := c.topic(ctx, "described-group", partitionCount)
	if err != nil {
		return err
	}
	group := "described-" + c.suffix
	member, err := c.client.Join(ctx, group, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, member.Leave()) }()
	err = waitUntil(ctx, "an assignment", func() (bool, error) {
		return len(member.Assignment()) == partitionCount, nil
	})
	if err != nil {
		return err
	}
	found, err := c.client.DescribeGroup(ctx, group)
	if err == nil && (!strings.EqualFold(found.State, "stable") || found.Members != 1) {
		err = fmt.Errorf("the group is %s with %d members", found.State, found.Members)
	}
	return err
}

func (c *Cases) deleteGroup(ctx context.Context) error {
	group, err := c.groupWithCommit(ctx, "deleted")
	if err != nil {
		return err
	}
	if err := c.waitForGroup(ctx, group, true); err != nil {
		return err
	}
	if err := c.client.DeleteGroup(ctx, group); err != nil {
		return err
	}
	return c.waitForGroup(ctx, group, false)
}
