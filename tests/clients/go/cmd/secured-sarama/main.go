// Command secured-sarama runs the cases of a broker that asks who its clients are with Sarama.
package main

import (
	"context"
	"errors"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"

	"millstream/tests/clients/internal/secured"
)

func main() { secured.Main(stock{}) }

type stock struct{}

func (stock) Name() string { return "sarama" }

func (stock) Unproved(err error) bool {
	return errors.Is(err, sarama.ErrSASLAuthenticationFailed)
}

func (stock) NotAllowed(err error) bool {
	return errors.Is(err, sarama.ErrTopicAuthorizationFailed)
}

// login is Sarama's seam to SCRAM, filled as its own example does.
type login struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func (l *login) Begin(user, password, authzID string) error {
	client, err := l.hash.NewClient(user, password, authzID)
	if err != nil {
		return err
	}
	l.conversation = client.NewConversation()
	return nil
}

func (l *login) Step(challenge string) (string, error) { return l.conversation.Step(challenge) }
func (l *login) Done() bool                            { return l.conversation.Done() }

type token string

func (t token) Token() (*sarama.AccessToken, error) {
	return &sarama.AccessToken{Token: string(t)}, nil
}

func config(way secured.Way) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Metadata.Retry.Max = 1
	c.Net.TLS.Enable = way.TLS != nil
	c.Net.TLS.Config = way.TLS
	c.Net.SASL.Enable = way.Mechanism != ""
	c.Net.SASL.Mechanism = sarama.SASLMechanism(way.Mechanism)
	c.Net.SASL.User, c.Net.SASL.Password = way.User, way.Password
	switch way.Mechanism {
	case secured.Scram256:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &login{hash: scram.SHA256} }
	case secured.Scram512:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &login{hash: scram.SHA512} }
	case secured.OAuthBearer:
		c.Net.SASL.TokenProvider = token(way.Token)
	}
	return c
}

func (stock) RoundTrip(ctx context.Context, way secured.Way, group, value string) error {
	client, err := sarama.NewClient([]string{way.Address}, config(way))
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		return err
	}
	defer func() { _ = producer.Close() }()
	message := &sarama.ProducerMessage{Topic: secured.Topic, Value: sarama.StringEncoder(value)}
	if _, _, err := producer.SendMessage(message); err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerGroupFromClient(group, client)
	if err != nil {
		return err
	}
	defer func() { _ = consumer.Close() }()
	until, stop := context.WithCancel(ctx)
	defer stop()
	member := &member{value: value, stop: stop}
	for !member.found && until.Err() == nil {
		if err := consumer.Consume(until, []string{secured.Topic}, member); err != nil {
			return err
		}
	}
	if !member.found {
		return ctx.Err()
	}
	return nil
}

// member looks for one value, and stops.
type member struct {
	value string
	found bool
	stop  context.CancelFunc
}

func (*member) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case <-session.Context().Done():
			return nil
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			session.MarkMessage(message, "")
			if string(message.Value) == m.value {
				m.found = true
				m.stop()
				return nil
			}
		}
	}
}
