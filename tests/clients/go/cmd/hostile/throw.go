package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand"
	"net"
	"os"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"millstream/tests/clients/internal/wire"
)

// outcome is what the broker did with bytes thrown at it.
type outcome int

const (
	answered outcome = iota
	closed
	quiet
)

// tally counts outcomes; the zero value is ready.
type tally struct {
	mutex  sync.Mutex
	counts [3]int
	failed error
}

func (t *tally) add(o outcome, err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err != nil {
		t.failed = err
		return
	}
	t.counts[o]++
}

func (t *tally) print(what string, count int) error {
	fmt.Printf("%s=%d answered=%d closed=%d quiet=%d\n", what, count, t.counts[answered],
		t.counts[closed], t.counts[quiet])
	return t.failed
}

// throw sends bytes on a connection of its own and looks what comes of it.
func throw(address string, bytes []byte, wait time.Duration) (outcome, error) {
	conn, err := wire.Dial(address)
	if err != nil {
		return 0, fmt.Errorf("the broker takes no connection: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(bytes); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return closed, nil
	}
	var first [1]byte
	_, err = io.ReadFull(conn, first[:])
	var timeout net.Error
	switch {
	case err == nil:
		return answered, nil
	case errors.As(err, &timeout) && timeout.Timeout():
		return quiet, nil
	default:
		return closed, nil
	}
}

// throwAll throws what `next` makes until it gives nil, `width` at a time.
func throwAll(address string, wait time.Duration, next func() []byte) *tally {
	var result tally
	var group sync.WaitGroup
	work := make(chan []byte)
	for range width {
		group.Add(1)
		go func() {
			defer group.Done()
			for bytes := range work {
				result.add(throw(address, bytes, wait))
			}
		}()
	}
	for bytes := next(); bytes != nil; bytes = next() {
		work <- bytes
	}
	close(work)
	group.Wait()
	return &result
}

// framed puts the length in front that the bytes have.
func framed(bytes []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(bytes))), bytes...)
}

func random(address string, count, _ int) error {
	const most = 64 << 10
	thrown := 0
	result := throwAll(address, glance, func() []byte {
		if thrown == count {
			return nil
		}
		thrown++
		bytes := noise(1 + rand.Intn(most))
		// Half of them get past the length.
		if thrown%2 == 0 {
			bytes = framed(bytes)
		}
		return bytes
	})
	return result.print("connections", count)
}

func lengths(address string, count, _ int) error {
	// What no frame can have: the connection must be closed, at once and without a buffer for it.
	impossible := []int32{math.MinInt32, -1, 0, 3, 101 << 20, 1 << 30, math.MaxInt32}
	for _, length := range impossible {
		bytes := append(binary.BigEndian.AppendUint32(nil, uint32(length)), noise(64)...)
		got, err := throw(address, bytes, patience)
		if err != nil {
			return err
		}
		if got == quiet {
			return fmt.Errorf("a frame of %d bytes keeps its connection", length)
		}
	}
	// What a frame can have and these never send: they must not cost their length in memory, nor
	// keep anybody else from being served.
	const announced = 15 << 20
	held := make([]*wire.Conn, 0, count)
	defer func() {
		for _, conn := range held {
			conn.Close()
		}
	}()
	for range count {
		conn, err := wire.Dial(address)
		if err != nil {
			return err
		}
		held = append(held, conn)
		bytes := append(binary.BigEndian.AppendUint32(nil, announced), 0, 0, 0, 9)
		if _, err := conn.Write(bytes); err != nil {
			return err
		}
	}
	began := time.Now()
	err := good(address)
	fmt.Printf("impossible=%d announced=%d bystander_seconds=%.3f\n", len(impossible), count,
		time.Since(began).Seconds())
	return err
}

// mutants damages a good request of every API at every version the broker serves.
func mutants(address string, count, _ int) error {
	versions, err := served(address)
	if err != nil {
		return err
	}
	originals := [][]byte{}
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("hostile"))
	for key, most := range versions {
		request := kmsg.RequestForKey(key)
		if request == nil {
			continue
		}
		for version := range min(most, request.MaxVersion()) + 1 {
			request.SetVersion(version)
			originals = append(originals, formatter.AppendRequest(nil, request, 1)[4:])
		}
	}
	thrown := 0
	result := throwAll(address, glance, func() []byte {
		if thrown == count*len(originals) {
			return nil
		}
		original := originals[thrown%len(originals)]
		thrown++
		return damage(append([]byte{}, original...))
	})
	return result.print("requests", thrown)
}

// damage changes the request behind its key and version, so that the API's own decoder meets it.
func damage(bytes []byte) []byte {
	const head = 4
	absurd := [][]byte{{0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff, 0x0f}, {0x80, 0, 0, 0}}
	at := head + rand.Intn(len(bytes)-head)
	switch rand.Intn(5) {
	case 0: // Cut, with the length that is left.
		return framed(bytes[:at])
	case 1: // Cut, with the length that was.
		return framed(bytes)[:4+at]
	case 2: // A huge count or length somewhere.
		copy(bytes[at:], absurd[rand.Intn(len(absurd))])
	case 3: // Something behind the end.
		bytes = append(bytes, noise(1+rand.Intn(64))...)
	case 4: // One byte is another.
		bytes[at] = byte(rand.Intn(256))
	}
	return framed(bytes)
}

func unknown(address string, _, _ int) error {
	versions, err := served(address)
	if err != nil {
		return err
	}
	header := func(key, version int16) []byte {
		bytes := binary.BigEndian.AppendUint16(nil, uint16(key))
		bytes = binary.BigEndian.AppendUint16(bytes, uint16(version))
		return append(bytes, 0, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0)
	}
	all := [][]byte{}
	for _, key := range []int16{-1, 999, 32767, -32768} {
		all = append(all, header(key, 0))
	}
	for key, most := range versions {
		for _, version := range []int16{-1, most + 1, 32767} {
			all = append(all, header(key, version))
		}
	}
	thrown := 0
	result := throwAll(address, patience, func() []byte {
		if thrown == len(all) {
			return nil
		}
		thrown++
		return framed(all[thrown-1])
	})
	if err := result.print("requests", thrown); err != nil {
		return err
	}
	if result.counts[quiet] > 0 {
		return errors.New("requests of unknown kinds are neither answered nor is their connection closed")
	}
	return unknownApiVersions(address)
}

// Clients find out what a broker speaks by asking too much: that, and only that, is answered at a
// version that the broker does not know (KIP-511).
func unknownApiVersions(address string) error {
	const unsupported = 35
	conn, err := wire.Dial(address)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := apiVersions()
	frame := conn.Frame(request)
	binary.BigEndian.PutUint16(frame[6:], 99)
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	body, err := conn.ReadAnswer()
	if err != nil {
		return fmt.Errorf("ApiVersions at a version of the future: %w", err)
	}
	answer := kmsg.NewPtrApiVersionsResponse()
	if err := answer.ReadFrom(body); err != nil || answer.ErrorCode != unsupported {
		return fmt.Errorf("ApiVersions at a version of the future: error %d, %w", answer.ErrorCode, err)
	}
	return nil
}

func dribble(address string, count, _ int) error {
	const pause = 20 * time.Millisecond
	var result tally
	var group sync.WaitGroup
	for range count {
		group.Add(1)
		go func() {
			defer group.Done()
			conn, err := wire.Dial(address)
			if err != nil {
				result.add(0, err)
				return
			}
			defer conn.Close()
			for _, one := range conn.Frame(apiVersions()) {
				if _, err := conn.Write([]byte{one}); err != nil {
					result.add(0, fmt.Errorf("a slow request is cut off: %w", err))
					return
				}
				time.Sleep(pause)
			}
			if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
				result.add(0, err)
				return
			}
			_, err = conn.ReadAnswer()
			result.add(answered, err)
		}()
	}
	group.Wait()
	return result.print("connections", count)
}
