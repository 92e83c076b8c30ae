// Package cases holds the acceptance cases, written once for every Go client.
//
// Names and order are the same in Python, Java and JavaScript; `cargo xtask clients` holds the
// list. Every case runs under its own time limit, so that a dead broker costs a failed line and
// never a hang.
package cases

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

const (
	caseLimit      = 40 * time.Second
	programLimit   = 400 * time.Second
	waitLimit      = 20 * time.Second
	pollInterval   = 20 * time.Millisecond
	reasonCharsMax = 300
)

// Skip is returned when a client lacks a feature; the text says which.
type Skip string

func (s Skip) Error() string { return string(s) }

// Version finds the version of a module in this program's build information.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}

type report struct {
	failed bool
	ctx    context.Context
}

// run runs one case in a goroutine of its own and prints how it ended.
func (r *report) run(name string, body func(context.Context) error) {
	ctx, cancel := context.WithTimeout(r.ctx, caseLimit)
	defer cancel()
	began := time.Now()
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if panicked := recover(); panicked != nil {
				ended <- fmt.Errorf("panic: %v", panicked)
			}
		}()
		ended <- body(ctx)
	}()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = errors.New("time limit")
	}
	fmt.Fprintf(os.Stderr, "%s: %.1f s\n", name, time.Since(began).Seconds())
	var skip Skip
	switch {
	case err == nil:
		fmt.Printf("CASE %s ok\n", name)
	case errors.As(err, &skip):
		fmt.Printf("CASE %s skip %s\n", name, oneLine(skip.Error()))
	default:
		r.failed = true
		fmt.Printf("CASE %s fail %s\n", name, oneLine(err.Error()))
	}
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > reasonCharsMax {
		text = text[:reasonCharsMax]
	}
	return text
}

// waitUntil polls a condition until it holds or the limit has passed.
func waitUntil(ctx context.Context, what string, holds func() (bool, error)) error {
	deadline := time.Now().Add(waitLimit)
	for {
		done, err := holds()
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if done {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waited %s in vain: %s", waitLimit, what)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}
