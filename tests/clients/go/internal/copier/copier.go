// Package copier is what the transactional copiers share: their flags, their journal, and which
// transactions they abort on purpose.
//
// A copier reads its input as a member of a group, and writes each record to its output in one
// transaction with the offsets it has read. A record's key is kept; its value says whether the copier
// meant to commit it, so that a reader of committed records that sees "abort" has seen too much.
package copier

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"time"
)

const (
	// Commit is the value of a record that is to be seen.
	Commit = "commit"
	// Abort is the value of a record that must never be seen.
	Abort = "abort"
	// RecordsMax is the most that one transaction copies.
	RecordsMax = 200
	// Timeout is the broker's patience with one transaction.
	Timeout = 10 * time.Second
	// Pause is the wait before a copier begins anew.
	Pause = 200 * time.Millisecond
)

// Copier is one copier's settings and journal.
type Copier struct {
	Bootstrap, Name, Input, Output string
	Partitions                     int32

	abortPercent int
	journal      *os.File
}

// Parse reads the flags.
func Parse() *Copier {
	c := &Copier{}
	partitions := flag.Int("partitions", 1, "partitions of both topics")
	journal := flag.String("journal", "", "file that ended transactions are written to")
	flag.StringVar(&c.Bootstrap, "bootstrap", "", "HOST:PORT of the broker")
	flag.StringVar(&c.Name, "name", "", "transactional id, group and member")
	flag.StringVar(&c.Input, "input", "", "topic to read")
	flag.StringVar(&c.Output, "output", "", "topic to write")
	flag.IntVar(&c.abortPercent, "abort-percent", 0, "of all transactions, aborted on purpose")
	flag.Parse()
	c.Partitions = int32(*partitions)
	file, err := os.OpenFile(*journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c.journal = file
	return c
}

// Group is the group that the copier's offsets belong to.
func (c *Copier) Group() string { return c.Name + "-group" }

// Intent draws what the next transaction is to become.
func (c *Copier) Intent() string {
	if rand.Intn(100) < c.abortPercent {
		return Abort
	}
	return Commit
}

// Ended notes a transaction that ended as it was meant to. One write, so that a kill leaves whole lines.
func (c *Copier) Ended(intent string, records int) {
	fmt.Fprintf(c.journal, "%s %d\n", intent, records)
}

// Failed says on standard error why the copier begins anew.
func (c *Copier) Failed(err error) {
	fmt.Fprintf(os.Stderr, "%s begin anew: %v\n", time.Now().Format("15:04:05.000"), err)
	time.Sleep(Pause)
}
