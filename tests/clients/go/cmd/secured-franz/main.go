// Command secured-franz runs the cases of a broker that asks who its clients are with franz-go.
package main

import (
	"context"
	"errors"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"millstream/tests/clients/internal/secured"
)

func main() { secured.Main(stock{}) }

type stock struct{}

func (stock) Name() string { return "franz-go" }

func (stock) Unproved(err error) bool {
	// A token is refused in two steps; this client stops at the first, which says why.
	return errors.Is(err, kerr.SaslAuthenticationFailed) || strings.Contains(err.Error(), "in oauth response")
}

func (stock) NotAllowed(err error) bool {
	return errors.Is(err, kerr.TopicAuthorizationFailed)
}

func mechanism(way secured.Way) sasl.Mechanism {
	auth := scram.Auth{User: way.User, Pass: way.Password}
	switch way.Mechanism {
	case secured.Plain:
		return plain.Auth{User: way.User, Pass: way.Password}.AsMechanism()
	case secured.Scram256:
		return auth.AsSha256Mechanism()
	case secured.Scram512:
		return auth.AsSha512Mechanism()
	case secured.OAuthBearer:
		return oauth.Auth{Token: way.Token}.AsMechanism()
	}
	return nil
}

func (stock) RoundTrip(ctx context.Context, way secured.Way, group, value string) error {
	options := []kgo.Opt{
		kgo.SeedBrokers(way.Address),
		kgo.ConsumerGroup(group),
		kgo.ConsumeTopics(secured.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	}
	if way.TLS != nil {
		options = append(options, kgo.DialTLSConfig(way.TLS))
	}
	if login := mechanism(way); login != nil {
		options = append(options, kgo.SASL(login))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	// Says at once why a broker does not talk to it, where producing would try again for long.
	if err := client.Ping(ctx); err != nil {
		return err
	}
	record := &kgo.Record{Topic: secured.Topic, Value: []byte(value)}
	if err := client.ProduceSync(ctx, record).FirstErr(); err != nil {
		return err
	}
	for {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			if string(record.Value) == value {
				return nil
			}
		}
	}
}
