package transport

import (
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/go-json-experiment/json/jsontext"
)

// Fingerprint is a hash of a row's bytes, never 0.
func Fingerprint(raw []byte) uint64 { return nonzero(xxhash.Sum64(raw)) }

// FingerprintOf is a hash of several texts and of where each ends, never 0: for rows whose volatile fields must not count.
func FingerprintOf(parts ...string) uint64 {
	var d xxhash.Digest
	d.Reset()
	var size [8]byte
	for _, p := range parts {
		binary.LittleEndian.PutUint64(size[:], uint64(len(p)))
		_, _ = d.Write(size[:]) // a digest's Write never fails
		_, _ = d.WriteString(p)
	}
	return nonzero(d.Sum64())
}

// FingerprintWithout is a hash of a JSON object's bytes without the named top-level members, never 0. Bytes that are no whole object
// count as they are.
func FingerprintWithout(raw []byte, names ...string) uint64 {
	var d xxhash.Digest
	d.Reset()
	whole := false
	lend(raw, func(dec *jsontext.Decoder) { whole = hashMembers(&d, dec, names) })
	if !whole {
		return Fingerprint(raw)
	}
	return nonzero(d.Sum64())
}

func hashMembers(d *xxhash.Digest, dec *jsontext.Decoder, without []string) bool {
	if dec.PeekKind() != '{' {
		return false
	}
	if _, err := dec.ReadToken(); err != nil {
		return false
	}
	for dec.PeekKind() == '"' {
		token, err := dec.ReadToken()
		if err != nil {
			return false
		}
		name := token.String()
		value, err := dec.ReadValue()
		if err != nil {
			return false
		}
		if slices.Contains(without, name) {
			continue
		}
		_, _ = d.WriteString(name) // a digest's Write never fails
		_, _ = d.Write([]byte{0})
		_, _ = d.Write(value)
	}
	_, err := dec.ReadToken()
	return err == nil
}

// nonzero keeps 0 free for "no fingerprint".
func nonzero(h uint64) uint64 {
	if h == 0 {
		return 1
	}
	return h
}
