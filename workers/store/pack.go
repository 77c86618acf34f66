package store

import (
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// errPacked means that bytes do not hold what they should.
var errPacked = errors.New("packed bytes are damaged")

// The packings of an id, in the two low bits of its first byte.
const (
	packRaw     = 0 // as it is
	packDecimal = 1 // canonical decimal number, minimal big-endian
	packUpper   = 2 // three characters of alphabet in two bytes
	packLower   = 3 // the same, and letters after the colon are lower case (a carrier's code)
)

// alphabet has 40 characters with the one that pads, because 40³ fits two bytes.
const alphabet = "\x00ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:"

// letterCodes is the inverse of alphabet, 0xff for what is not in it.
var letterCodes = func() (codes [256]byte) {
	for i := range codes {
		codes[i] = 0xff
	}
	for i := 1; i < len(alphabet); i++ {
		codes[alphabet[i]] = byte(i)
	}
	return codes
}()

// appendText packs an id or a number without its packing, which it gives back.
func appendText(dst []byte, s string) ([]byte, byte) {
	if n, ok := canonical(s); ok {
		return appendMinimal(dst, n), packDecimal
	}
	if out, ok := appendLetters(dst, s); ok {
		return out, packUpper
	}
	number, carrier, found := strings.Cut(s, ":")
	if found && isLower(carrier) {
		if out, ok := appendLetters(dst, number+":"+strings.ToUpper(carrier)); ok {
			return out, packLower
		}
	}
	return append(dst, s...), packRaw
}

// isLower reports whether text is ASCII without capitals, so that ToUpper and ToLower undo each other.
func isLower(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 || s[i] >= 'A' && s[i] <= 'Z' {
			return false
		}
	}
	return true
}

// readText is the inverse of appendText.
func readText(b []byte, packing byte) string {
	switch packing {
	case packDecimal:
		var n uint64
		for _, c := range b {
			n = n<<8 | uint64(c)
		}
		return strconv.FormatUint(n, 10)
	case packUpper:
		return readLetters(b)
	case packLower:
		number, carrier, _ := strings.Cut(readLetters(b), ":")
		return number + ":" + strings.ToLower(carrier)
	}
	return string(b)
}

func canonical(s string) (uint64, bool) {
	if s == "" || len(s) > 20 || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

func appendMinimal(dst []byte, n uint64) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	i := 0
	for b[i] == 0 {
		i++
	}
	return append(dst, b[i:]...)
}

// appendLetters packs text of the alphabet; a last single character takes one byte.
func appendLetters(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	for i := 0; i < len(s); i += 3 {
		v, n := uint(0), min(3, len(s)-i)
		for j := range 3 {
			c := byte(0)
			if j < n {
				if c = letterCodes[s[i+j]]; c == 0xff {
					return dst[:start], false
				}
			}
			v = v*40 + uint(c)
		}
		if n == 1 {
			dst = append(dst, byte(v/1600))
		} else {
			dst = append(dst, byte(v>>8), byte(v))
		}
	}
	return dst, s != ""
}

func readLetters(b []byte) string {
	var out [3 * 128]byte
	text := out[:0]
	for i := 0; i < len(b); i += 2 {
		v := uint(b[i]) * 1600
		if i+1 < len(b) {
			v = uint(b[i])<<8 | uint(b[i+1])
		}
		for _, c := range [3]uint{v / 1600, v / 40 % 40, v % 40} {
			if c > 0 && c < 40 {
				text = append(text, alphabet[c])
			}
		}
	}
	return string(text)
}

// appendString packs text of any kind with its length.
func appendString(dst []byte, s string) []byte {
	var scratch [64]byte
	body, packing := appendText(scratch[:0], s)
	dst = binary.AppendUvarint(dst, uint64(len(body))<<2|uint64(packing))
	return append(dst, body...)
}

// appendMoney packs an amount; no money is one byte.
func appendMoney(dst []byte, m sla.Money) []byte {
	c := uint64(0)
	if len(m.Currency) == 3 {
		for i := range 3 {
			c = c*27 + uint64(m.Currency[i]-'A'+1)
		}
	}
	dst = binary.AppendUvarint(dst, c)
	if c == 0 {
		return dst
	}
	return binary.AppendVarint(dst, m.Minor)
}

// epoch2020 is the second that packed times count from, to keep them short.
const epoch2020 = 1577836800

// appendTime packs an instant to the millisecond.
func appendTime(dst []byte, t time.Time) []byte { return appendTimeAfter(dst, t, time.Time{}) }

// mostPacked is the farthest instant that is packed, in milliseconds either way: beyond the year 140000. No platform means a later one, and
// without a bound the arithmetic of damaged bytes would come round to some other time.
const mostPacked = 1 << 52

func packedMilli(t time.Time) int64 { return min(max(t.UnixMilli(), -mostPacked), mostPacked) }

// packedFrom is the millisecond that an instant counts from that follows another one, if there is one.
func packedFrom(other time.Time) int64 {
	if other.IsZero() {
		return epoch2020 * 1000
	}
	return packedMilli(other)
}

// appendTimeAfter packs an instant that is near another one, which the reader knows, in the coarsest unit that holds the distance: whole
// minutes and seconds are shorter.
func appendTimeAfter(dst []byte, t, other time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	n, unit := packedMilli(t)-packedFrom(other), uint64(0)
	if n%60_000 == 0 {
		n, unit = n/60_000, 2
	} else if n%1000 == 0 {
		n, unit = n/1000, 1
	}
	zigzag := uint64(n<<1) ^ uint64(n>>63)
	return binary.AppendUvarint(dst, zigzag*3+unit+1)
}

// A packed is a reader of packed bytes. The first damage sticks; what is read after it is zero.
type packed struct {
	b   []byte
	bad bool
}

func (p *packed) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	if n <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *packed) varint() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 {
		p.bad, p.b = true, nil
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *packed) take(n int) []byte {
	if n < 0 || n > len(p.b) {
		p.bad, p.b = true, nil
		return nil
	}
	out := p.b[:n]
	p.b = p.b[n:]
	return out
}

func (p *packed) byte() byte {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *packed) uint64() uint64 {
	if b := p.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (p *packed) string() string {
	head := p.uvarint()
	if head>>2 > maxValue {
		p.bad = true
		return ""
	}
	b := p.take(int(head >> 2))
	if len(b) == 0 {
		return ""
	}
	return readText(b, byte(head&3))
}

func (p *packed) money() sla.Money {
	c := p.uvarint()
	if c == 0 || c >= 27*27*27 {
		return sla.Money{}
	}
	code := [3]byte{byte(c/729) + 'A' - 1, byte(c/27%27) + 'A' - 1, byte(c%27) + 'A' - 1}
	return sla.Money{Currency: sla.Currency(code[:]), Minor: p.varint()}
}

func (p *packed) time() time.Time { return p.timeAfter(time.Time{}) }

// timeAfter is the inverse of appendTimeAfter.
func (p *packed) timeAfter(other time.Time) time.Time {
	v := p.uvarint()
	if v == 0 {
		return time.Time{}
	}
	v--
	zigzag := v / 3
	n := int64(zigzag>>1) ^ -int64(zigzag&1)
	unit := [3]int64{1, 1000, 60_000}[v%3]
	ms := n*unit + packedFrom(other)
	if n > 2*mostPacked/unit || n < -2*mostPacked/unit || ms > mostPacked || ms < -mostPacked {
		p.bad = true
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// err reports damage, or bytes left over, which mean the same.
func (p *packed) err() error {
	if p.bad || len(p.b) > 0 {
		return errPacked
	}
	return nil
}
