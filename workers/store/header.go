package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// The header of a record never changes its form, whatever the schema of the body: scripts read the instant and the version, and an
// older process keeps the timers of newer records going.
//
//	[0] schema  [1..6] timer, 0 without one  [7..10] version  [11..18] fingerprint  [19..] body
const (
	schema     = 1
	headerSize = 19
	maxValue   = 1<<16 - 8 // a record with its expected version must fit two bytes of length
	maxInstant = 1<<44 - 1 // the year 2527
)

// ErrUnreadable means that a record is of a newer schema, or damaged. It is left where it is.
var ErrUnreadable = errors.New("record cannot be read")

type header struct {
	next        time.Time
	version     uint32
	fingerprint uint64
}

// dueMS is the instant of a timer. It rounds up, so that nothing is claimed before its time.
func dueMS(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return uint64(min(max(ms, 1), maxInstant))
}

// appendInstant writes 48 bits, big-endian.
func appendInstant(dst []byte, ms uint64) []byte {
	return append(dst, byte(ms>>40), byte(ms>>32), byte(ms>>24), byte(ms>>16), byte(ms>>8), byte(ms))
}

func instant(b []byte) time.Time {
	ms := uint64(b[0]&15)<<40 | uint64(b[1])<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

func appendHeader(dst []byte, h header, due timer) []byte {
	dst = due.append(append(dst, schema))
	dst = binary.BigEndian.AppendUint32(dst, h.version)
	return binary.BigEndian.AppendUint64(dst, h.fingerprint)
}

func readHeader(value []byte) (header, []byte, error) {
	if len(value) < headerSize {
		return header{}, nil, fmt.Errorf("%d bytes: %w", len(value), ErrUnreadable)
	}
	if value[0] != schema {
		return header{}, nil, fmt.Errorf("schema %d: %w", value[0], ErrUnreadable)
	}
	return header{
		next:        instant(value[1:7]),
		version:     binary.BigEndian.Uint32(value[7:11]),
		fingerprint: binary.BigEndian.Uint64(value[11:19]),
	}, value[headerSize:], nil
}
