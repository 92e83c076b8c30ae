// Command hostile does to a broker what no client should, one attack a call.
//
//	hostile random   HOST:PORT COUNT   connections that send random bytes
//	hostile lengths  HOST:PORT COUNT   frames of impossible, absurd and never kept lengths
//	hostile mutants  HOST:PORT COUNT   requests of every API and version, damaged COUNT times each
//	hostile unknown  HOST:PORT         APIs and versions that do not exist
//	hostile dribble  HOST:PORT COUNT   good requests, a byte at a time
//	hostile batches  HOST:PORT         record batches that are not what they say
//	hostile bombs    HOST:PORT         small batches that are huge when unpacked
//	hostile silent   HOST:PORT COUNT   connections that ask for much and read nothing
//	hostile idle     HOST:PORT COUNT PID   connections that do nothing; memory of the process PID
//
// Each prints one line of `name=value` pairs: what the broker did. It fails when the broker does
// what it must never do: give no answer to a good request, store what is damaged, take no more
// connections.
package main

import (
	"errors"
	"fmt"
	"math/rand"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"millstream/tests/clients/internal/wire"
)

const (
	// Good requests are answered within this, whatever else goes on.
	patience = 60 * time.Second
	// How long a broker may think about rubbish before the attack goes on.
	glance = 300 * time.Millisecond
	// Connections at a time.
	width = 64
)

type attack struct {
	run   func(address string, count, pid int) error
	words int
}

var attacks = map[string]attack{
	"random":  {random, 1},
	"lengths": {lengths, 1},
	"mutants": {mutants, 1},
	"unknown": {unknown, 0},
	"dribble": {dribble, 1},
	"batches": {batches, 0},
	"bombs":   {bombs, 0},
	"silent":  {silent, 1},
	"idle":    {idle, 2},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) < 3 {
		return errors.New("usage: see the head of main.go")
	}
	attack, found := attacks[os.Args[1]]
	if !found || len(os.Args) != 3+attack.words {
		return errors.New("usage: see the head of main.go")
	}
	numbers := [2]int{}
	for at, word := range os.Args[3:] {
		number, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		numbers[at] = number
	}
	if err := attack.run(os.Args[2], numbers[0], numbers[1]); err != nil {
		return err
	}
	return good(os.Args[2])
}

// good fails unless a new connection gets a proper answer.
func good(address string) error {
	conn, err := wire.Dial(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := conn.Ask(apiVersions(), patience)
	if err != nil {
		return fmt.Errorf("a good request after the attack: %w", err)
	}
	if code := answer.(*kmsg.ApiVersionsResponse).ErrorCode; code != 0 {
		return fmt.Errorf("a good request after the attack: error %d", code)
	}
	return nil
}

func apiVersions() *kmsg.ApiVersionsRequest {
	request := kmsg.NewPtrApiVersionsRequest()
	request.Version = 3
	request.ClientSoftwareName, request.ClientSoftwareVersion = "hostile", "1"
	return request
}

// served is the highest version of each API that the broker says it serves.
func served(address string) (map[int16]int16, error) {
	conn, err := wire.Dial(address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answer, err := conn.Ask(apiVersions(), patience)
	if err != nil {
		return nil, err
	}
	versions := map[int16]int16{}
	for _, key := range answer.(*kmsg.ApiVersionsResponse).ApiKeys {
		versions[key.ApiKey] = key.MaxVersion
	}
	return versions, nil
}

func noise(length int) []byte {
	bytes := make([]byte, length)
	rand.Read(bytes)
	return bytes
}
