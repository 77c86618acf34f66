package transport_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestWhatIsKnownOfACredentialIsToldWithoutIt(t *testing.T) {
	t.Parallel()
	ctx, now := context.Background(), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	v := &vault{}
	open := func(key string, initial transport.Token) *transport.Tokens {
		tokens, err := transport.NewTokens(transport.TokenOptions{
			Store: "AE01", Vault: v, Now: func() time.Time { return now }, SealKeys: [][]byte{[]byte(key)}, Initial: initial, Owner: "me",
			Refresh: func(context.Context, string) (transport.Token, error) {
				return transport.Token{Access: "s3cret-access", Refresh: "s3cret-refresh", Issued: now, Expires: now.Add(48 * time.Hour), RefreshExpires: now.Add(96 * time.Hour)}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		return tokens
	}
	told := func(tokens *transport.Tokens) connectors.Credential {
		c, err := tokens.Credential(ctx)
		if err != nil || strings.Contains(fmt.Sprintf("%+v", c), "s3cret") {
			t.Fatalf("got %+v (%v)", c, err)
		}
		return c
	}
	const key, other = "a key of some length", "another key of length"
	configured := transport.Token{Access: "s3cret-old", Refresh: "s3cret-older", Expires: now.Add(-time.Hour)}
	tokens := open(key, configured)
	if c := told(tokens); c != (connectors.Credential{Renewable: true, Expires: now.Add(-time.Hour)}) || v.version != 0 {
		t.Errorf("want the configured one told, and nothing renewed, got %+v", c)
	}
	if _, err := tokens.Access(ctx); err != nil {
		t.Fatal(err)
	}
	want := connectors.Credential{Stored: true, Renewable: true, Issued: now, Expires: now.Add(48 * time.Hour), RefreshExpires: now.Add(96 * time.Hour)}
	if c := told(open(key, configured)); c != want {
		t.Errorf("want %+v, got %+v", want, c)
	}
	if c := told(open(other, configured)); c != (connectors.Credential{Stored: true, Sealed: true}) {
		t.Errorf("want one that no key opens, got %+v", c)
	}
	v.out = true
	if _, err := tokens.Credential(ctx); err == nil {
		t.Error("want a vault that is out told of")
	}
}
