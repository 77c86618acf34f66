package transport_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

func TestTokenIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	w.advance(2 * time.Hour)
	w.vault.full = true
	_, err := a.Access(t.Context())
	if connectors.KindOf(err) != connectors.Unavailable {
		t.Fatalf("want Unavailable, got %v", err)
	}
	w.vault.full = false
	wantAccess(t, a, "a1")
	if w.issuer.calls != 1 {
		t.Errorf("want the token that was not stored to be stored later, got %d refreshes", w.issuer.calls)
	}
	wantAccess(t, w.replica(t, "B"), "a1")
}

func TestTokenThatIsOnlyDueIsUsedWhileTheWayIsBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	w.advance(50 * time.Minute)
	w.vault.out = true
	wantAccess(t, a, "a0")
	w.vault.out, w.issuer.fault = false, errors.New("platform is out")
	wantAccess(t, a, "a0")
	w.vault.owner = "somebody"
	wantAccess(t, a, "a0")
	w.advance(10 * time.Minute)
	w.vault.owner = ""
	if _, err := a.Access(t.Context()); err == nil {
		t.Error("want an error once the token is dead")
	}
}

func TestRefusedRefreshReadsTheVaultFirst(t *testing.T) {
	t.Parallel()
	w := newWorld()
	var b *transport.Tokens
	a := w.replica(t, "A", func(o *transport.TokenOptions) {
		refresh := o.Refresh
		o.Refresh = func(ctx context.Context, r string) (transport.Token, error) {
			w.vault.mu.Lock()
			w.vault.owner = "" // the lock ran out while this replica was frozen
			w.vault.mu.Unlock()
			b.Invalidate(ctx, "a0")
			if _, err := b.Access(ctx); err != nil {
				return transport.Token{}, err
			}
			return refresh(ctx, r)
		}
	})
	b = w.replica(t, "B")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	if w.issuer.calls != 2 {
		t.Errorf("want one good and one refused refresh, got %d", w.issuer.calls)
	}
}

func TestRefusedRefreshIsReportedAndNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.issuer.good = "none"
	a := w.replica(t, "A")
	w.advance(2 * time.Hour)
	for range 3 {
		_, err := a.Access(t.Context())
		if connectors.KindOf(err) != connectors.Unauthorised {
			t.Fatalf("want Unauthorised, got %v", err)
		}
	}
	if w.issuer.calls != 1 {
		t.Errorf("want one call, got %d", w.issuer.calls)
	}
	w.issuer.good = "r0" // it was the platform's mistake
	w.advance(11 * time.Minute)
	wantAccess(t, a, "a1")
}

func TestNewAuthorisationByAPersonWins(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	w.issuer.good = "fresh" // the seller revoked the app and authorised it again
	w.advance(2 * time.Hour)
	b := w.replica(t, "B", func(o *transport.TokenOptions) { o.Initial = transport.Token{Refresh: "fresh"} })
	wantAccess(t, b, "a2")
	wantAccess(t, a, "a2")
}

func TestBlobOfAnotherStoreOrKeyDoesNotOpen(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	wantAccess(t, w.replica(t, "B", func(o *transport.TokenOptions) { o.Store = "S2" }), "a0")
	wantAccess(t, w.replica(t, "B", func(o *transport.TokenOptions) { o.SealKeys = [][]byte{[]byte("fedcba9876543210")} }), "a0")
	w.vault.blob[20] ^= 1
	wantAccess(t, w.replica(t, "B"), "a0")
}

func TestLoserGivesUpWithItsCaller(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	w.advance(2 * time.Hour)
	w.vault.owner = "somebody"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := a.Access(ctx); !errors.Is(err, context.DeadlineExceeded) || w.issuer.calls != 0 {
		t.Errorf("want the caller's deadline and no refresh, got %v and %d", err, w.issuer.calls)
	}
}

func TestRenewalGoesOnWhenItsCallerGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld()
	ctx, cancel := context.WithCancel(t.Context())
	a := w.replica(t, "A", func(o *transport.TokenOptions) {
		refresh := o.Refresh
		o.Refresh = func(ctx context.Context, r string) (transport.Token, error) {
			cancel()
			if err := ctx.Err(); err != nil {
				return transport.Token{}, err
			}
			return refresh(ctx, r)
		}
	})
	w.advance(2 * time.Hour)
	if got, err := a.Access(ctx); err != nil || got != "a1" || w.vault.version != 1 {
		t.Errorf("want the new token stored, got %q (%v), version %d", got, err, w.vault.version)
	}
}

func TestARotatedSealKeyReadsTheOldAndWritesTheNew(t *testing.T) {
	t.Parallel()
	w := newWorld()
	older, newer := []byte("0123456789abcdef"), []byte("fedcba9876543210")
	keys := func(k ...[]byte) func(*transport.TokenOptions) {
		return func(o *transport.TokenOptions) { o.SealKeys = k }
	}
	w.advance(55 * time.Minute)
	wantAccess(t, w.replica(t, "A", keys(older)), "a1")
	w.advance(5 * time.Minute)
	wantAccess(t, w.replica(t, "B", keys(newer, older)), "a1") // read from the vault, sealed with the old key
	if w.issuer.calls != 1 {
		t.Fatalf("want the old seal read, got %d renewals", w.issuer.calls)
	}
	w.advance(54 * time.Minute)
	wantAccess(t, w.replica(t, "B", keys(newer, older)), "a2")
	w.advance(5 * time.Minute)
	wantAccess(t, w.replica(t, "C", keys(newer)), "a2")
	if w.issuer.calls != 2 {
		t.Errorf("want the new seal written, got %d renewals", w.issuer.calls)
	}
}
