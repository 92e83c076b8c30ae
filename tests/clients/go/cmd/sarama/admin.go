package main

import (
	"context"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"millstream/tests/clients/internal/cases"
)

func (s *stock) CreateTopic(_ context.Context, topic string, partitions int) error {
	detail := &sarama.TopicDetail{NumPartitions: int32(partitions), ReplicationFactor: 1}
	return s.admin.CreateTopic(topic, detail, false)
}

func (s *stock) OffsetForTime(_ context.Context, topic string, at time.Time) (int64, bool, error) {
	if err := s.client.RefreshMetadata(topic); err != nil {
		return 0, false, err
	}
	offset, err := s.client.GetOffset(topic, 0, at.UnixMilli())
	return offset, offset >= 0, err
}

func (s *stock) ListTopics(context.Context) (map[string]bool, error) {
	listed, err := s.admin.ListTopics()
	names := map[string]bool{}
	for name := range listed {
		names[name] = true
	}
	return names, err
}

func (s *stock) PartitionCount(_ context.Context, topic string) (int, error) {
	described, err := s.admin.DescribeTopics([]string{topic})
	if err != nil {
		return 0, err
	}
	return len(described[0].Partitions), nil
}

func (s *stock) AlterConfig(_ context.Context, topic, name, value string) error {
	change := map[string]sarama.IncrementalAlterConfigsEntry{
		name: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}
	return s.admin.IncrementalAlterConfig(sarama.TopicResource, topic, change, false)
}

func (s *stock) Config(_ context.Context, topic, name string) (string, error) {
	entries, err := s.admin.DescribeConfig(sarama.ConfigResource{
		Type: sarama.TopicResource, Name: topic, ConfigNames: []string{name},
	})
	if err != nil || len(entries) != 1 {
		return "", fmt.Errorf("%d entries for %s: %v", len(entries), name, err)
	}
	return entries[0].Value, nil
}

func (s *stock) CreatePartitions(_ context.Context, topic string, total int) error {
	return s.admin.CreatePartitions(topic, int32(total), nil, false)
}

func (s *stock) DeleteRecords(_ context.Context, topic string, beforeOffset int64) error {
	return s.admin.DeleteRecords(topic, map[int32]int64{0: beforeOffset})
}

func (s *stock) ListGroups(context.Context) (map[string]bool, error) {
	listed, err := s.admin.ListConsumerGroups()
	names := map[string]bool{}
	for name := range listed {
		names[name] = true
	}
	return names, err
}

func (s *stock) DescribeGroup(_ context.Context, group string) (cases.GroupState, error) {
	described, err := s.admin.DescribeConsumerGroups([]string{group})
	if err != nil {
		return cases.GroupState{}, err
	}
	found := described[0]
	if found.Err != sarama.ErrNoError {
		return cases.GroupState{}, found.Err
	}
	return cases.GroupState{State: found.State, Members: len(found.Members)}, nil
}

func (s *stock) DeleteGroup(_ context.Context, group string) error {
	return s.admin.DeleteConsumerGroup(group)
}

func (s *stock) DeleteTopic(_ context.Context, topic string) error {
	return s.admin.DeleteTopic(topic)
}
