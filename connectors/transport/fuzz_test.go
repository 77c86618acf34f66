package transport

import (
	"bytes"
	"testing"
	"time"
)

// FuzzSealed holds that a token comes out of its seal as it went in, that no byte of a sealed one can be changed, that it opens for its own
// store alone, and that nothing else opens at all.
func FuzzSealed(f *testing.F) {
	f.Add("access", "refresh", []byte{sealVersion, 1, 2}, uint(3))
	f.Add("", "\xff", []byte{}, uint(0))
	secret := [][]byte{bytes.Repeat([]byte("k"), MinSealKey)}
	own, err := newSealer(secret, "AE01")
	if err != nil {
		f.Fatal(err)
	}
	other, err := newSealer(secret, "AE02")
	if err != nil {
		f.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, access, refresh string, foreign []byte, flip uint) {
		if _, ok := own.open(foreign); ok {
			t.Fatal("foreign bytes open")
		}
		text := func(s string) string { return string([]rune(s)) } // a token is text: JSON holds nothing else
		want := Token{Access: access, Refresh: refresh, Expires: at}
		blob, err := own.seal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := own.open(blob)
		if !ok || got.Access != text(access) || got.Refresh != text(refresh) || !got.Expires.Equal(at) {
			t.Errorf("want the token as it was, got another (%t)", ok)
		}
		if _, ok := other.open(blob); ok {
			t.Error("it opens for another store")
		}
		blob[flip%uint(len(blob))] ^= 1
		if _, ok := own.open(blob); ok {
			t.Error("a changed one opens")
		}
	})
}
