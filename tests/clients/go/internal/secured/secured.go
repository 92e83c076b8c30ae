// Package secured holds the cases of a broker that asks who its clients are, written once for every Go client.
//
// The broker, its certificates, users and rules are made by `cargo xtask clients`; the topic and the rules by the Python
// program, which runs before this one.
package secured

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Topic is what alice may read and write, and bob may not.
const Topic = "open-t"

const caseLimit = 40 * time.Second

// Mechanisms by their registered names.
const (
	Plain       = "PLAIN"
	Scram256    = "SCRAM-SHA-256"
	Scram512    = "SCRAM-SHA-512"
	OAuthBearer = "OAUTHBEARER"
)

// What becomes of a case.
const (
	OK            = "ok"
	Unproved      = "the login is refused"
	NotAllowed    = "the topic is refused"
	NotTrusted    = "the certificate is refused"
	somethingElse = "another failure: "
)

// Way is how a client connects.
type Way struct {
	Address string
	TLS     *tls.Config // nil: no TLS
	// Mechanism of a login; empty: none.
	Mechanism, User, Password string
	// Token is what OAUTHBEARER shows.
	Token string
}

// Client is the seam between the cases and a client library.
type Client interface {
	Name() string
	// RoundTrip writes the value to Topic and reads it back in the group.
	RoundTrip(ctx context.Context, way Way, group, value string) error
	// Unproved and NotAllowed say whether the library's error is Kafka's SASL_AUTHENTICATION_FAILED, or
	// TOPIC_AUTHORIZATION_FAILED.
	Unproved(err error) bool
	NotAllowed(err error) bool
}

type run struct {
	client Client
	dir    string
	failed bool
}

// Main runs the cases; arguments are the directory of certificates and the ports of SSL, SASL_PLAINTEXT and SASL_SSL.
func Main(client Client) {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: DIRECTORY SSL SASL_PLAINTEXT SASL_SSL")
		os.Exit(2)
	}
	r := &run{client: client, dir: os.Args[1]}
	ssl, plaintext, saslSSL := "localhost:"+os.Args[2], "localhost:"+os.Args[3], "localhost:"+os.Args[4]
	trusting := r.trusting("ca.pem", "")
	login := func(mechanism, user, password string) Way {
		return Way{Address: saslSSL, TLS: trusting, Mechanism: mechanism, User: user, Password: password}
	}
	for _, mechanism := range []string{Scram512, Scram256, Plain} {
		r.check(mechanism, login(mechanism, "alice", "alice-secret"), OK)
		r.check("wrong-password-"+mechanism, login(mechanism, "alice", "wrong"), Unproved)
	}
	unencrypted := login(Scram512, "alice", "alice-secret")
	unencrypted.Address, unencrypted.TLS = plaintext, nil
	r.check("SASL_PLAINTEXT", unencrypted, OK)
	bearer := login(OAuthBearer, "", "")
	bearer.Token = unsigned("alice", time.Now().Add(10*time.Minute))
	r.check(OAuthBearer, bearer, OK)
	bearer.Token = unsigned("alice", time.Now().Add(-10*time.Minute))
	r.check("expired-OAUTHBEARER", bearer, Unproved)
	r.check("certificate", Way{Address: ssl, TLS: r.trusting("ca.pem", "alice")}, OK)
	r.check("no-certificate", Way{Address: ssl, TLS: trusting}, NotAllowed)
	r.check("strange-certificate", Way{Address: ssl, TLS: r.trusting("ca.pem", "stranger")}, NotTrusted)
	strange := login(Scram512, "alice", "alice-secret")
	strange.TLS = r.trusting("stranger.pem", "")
	r.check("strange-broker", strange, NotTrusted)
	r.check("without-rights", login(Scram512, "bob", "bob-secret"), NotAllowed)
	if r.failed {
		os.Exit(1)
	}
}

// trusting is a TLS configuration that trusts one authority and may show a certificate.
func (r *run) trusting(authority, certificate string) *tls.Config {
	pem, err := os.ReadFile(filepath.Join(r.dir, authority))
	if err != nil {
		panic(err)
	}
	config := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	config.RootCAs.AppendCertsFromPEM(pem)
	if certificate != "" {
		path := filepath.Join(r.dir, certificate)
		pair, err := tls.LoadX509KeyPair(path+".pem", path+".key")
		if err != nil {
			panic(err)
		}
		// Shown whatever authorities the broker names: a strange one is to be refused by the broker.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &pair, nil
		}
	}
	return config
}

func (r *run) check(name string, way Way, expected string) {
	ctx, cancel := context.WithTimeout(context.Background(), caseLimit)
	defer cancel()
	random := make([]byte, 8)
	_, _ = rand.Read(random)
	client := r.client.Name()
	err := r.client.RoundTrip(ctx, way, client+"-"+name, hex.EncodeToString(random))
	found := r.outcome(err)
	if found == expected {
		fmt.Printf("CASE %s-%s ok\n", client, name)
		return
	}
	r.failed = true
	fmt.Printf("CASE %s-%s fail %s\n", client, name, found)
}

func (r *run) outcome(err error) string {
	switch {
	case err == nil:
		return OK
	case r.client.Unproved(err):
		return Unproved
	case r.client.NotAllowed(err):
		return NotAllowed
	case strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "x509: "):
		return NotTrusted
	}
	return somethingElse + strings.Join(strings.Fields(err.Error()), " ")
}

// unsigned is a token that nobody has signed: what the broker is told to take in this run, and never otherwise.
func unsigned(subject string, ends time.Time) string {
	part := func(json string) string { return base64.RawURLEncoding.EncodeToString([]byte(json)) }
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, subject, ends.Unix()-3600, ends.Unix())
	return part(`{"alg":"none"}`) + "." + part(claims) + "."
}
