package cases

import (
	"context"
	"fmt"
	"time"
)

func (c *Cases) alterConfigs(ctx context.Context) error {
	const setting, value = "retention.ms", "7654321"
	name, err := c.topic(ctx, "configs", 1)
	if err != nil {
		return err
	}
	if err := c.client.AlterConfig(ctx, name, setting, value); err != nil {
		return err
	}
	return waitUntil(ctx, "the new retention.ms", func() (bool, error) {
		found, err := c.client.Config(ctx, name, setting)
		return found == value, err
	})
}

func (c *Cases) createPartitions(ctx context.Context) error {
	name, err := c.topic(ctx, "grown", 1)
	if err != nil {
		return err
	}
	if err := c.client.CreatePartitions(ctx, name, 3); err != nil {
		return err
	}
	return c.waitForPartitions(ctx, name, 3)
}

func (c *Cases) deleteRecords(ctx context.Context) error {
	name, err := c.topic(ctx, "trimmed", 1)
	if err != nil {
		return err
	}
	sent := makeRecords("trimmed", 20, 100)
	if err := c.client.Produce(ctx, name, sent, plain); err != nil {
		return err
	}
	if err := c.client.DeleteRecords(ctx, name, 15); err != nil {
		return err
	}
	got, err := c.client.Read(ctx, name, 5, 15)
	if err != nil {
		return err
	}
	if err := sameRecords(got, sent[15:], 15); err != nil {
		return err
	}
	first, exists, err := c.client.OffsetForTime(ctx, name, time.UnixMilli(0))
	if err != nil || !exists || first != 15 {
		return fmt.Errorf("first offset is %d (%t), wanted 15: %v", first, exists, err)
	}
	return nil
}

func (c *Cases) deleteTopic(ctx context.Context) error {
	name, err := c.topic(ctx, "doomed", 1)
	if err != nil {
		return err
	}
	listed := func(wanted bool) error {
		return waitUntil(ctx, fmt.Sprintf("the topic listed: %t", wanted), func() (bool, error) {
			topics, err := c.client.ListTopics(ctx)
			return topics[name] == wanted, err
		})
	}
	if err := listed(true); err != nil {
		return err
	}
	if err := c.client.DeleteTopic(ctx, name); err != nil {
		return err
	}
	return listed(false)
}
