package easypost

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
	"time"

	"golang.org/x/text/unicode/norm"

	"watchkeeper/connectors"
)

// FuzzSignedBy holds that a body is taken with its own signature only, and with no other header whatever.
func FuzzSignedBy(f *testing.F) {
	f.Add("fire", []byte(`{"weight":136.0}`), "hmac-sha256-hex=00")
	f.Add("ﬁre", []byte(""), "")
	f.Add("", []byte("x"), "hmac-sha256-hex=")
	f.Fuzz(func(t *testing.T, secret string, body []byte, header string) {
		mac := hmac.New(sha256.New, []byte(norm.NFKD.String(secret)))
		_, _ = mac.Write(body)
		own := mac.Sum(nil)
		sign := signaturePrefix + hex.EncodeToString(own)
		if got := SignedBy(secret, body, sign); got != (secret != "") {
			t.Errorf("its own signature: %t", got)
		}
		if SignedBy(secret, append(bytes.Clone(body), 'x'), sign) {
			t.Error("another body is taken")
		}
		if SignedBy(secret, body, header) && !bytes.Contains(bytes.ToLower([]byte(header)), []byte(hex.EncodeToString(own))) {
			t.Errorf("%q is taken", header)
		}
	})
}

// FuzzStand holds that any cursor is a place in a walk, that nothing foreign gets from it into a query, and that a place is read as it was written.
func FuzzStand(f *testing.F) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, s := range []string{"", "1 2026-02-01T00:00:00Z trk_1", "1 2026-02-01T00:00:00+25:00 trk_1", "2 2026-02-01T00:00:00Z trk_1", "1 x y", "1 2026-02-01T00:00:00Z a&b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		s := parseStand(connectors.Cursor{Token: token}, now)
		if s.start.IsZero() || s.before != "" && !validID(s.before) {
			t.Fatalf("%q is %+v", token, s)
		}
		if s.before == "" {
			return // a new walk has no cursor yet
		}
		if again := parseStand(connectors.Cursor{Token: s.token()}, now); !again.start.Equal(s.start.Truncate(time.Second)) || again.before != s.before {
			t.Errorf("%+v is read again as %+v", s, again)
		}
	})
}
