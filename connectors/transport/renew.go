package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchkeeper/connectors"
)

// renew gives a token that is good now: another replica's from the vault, or a new one from the platform. A token that is only due,
// and not yet dead, is used on when the way to a new one is blocked.
func (t *Tokens) renew(ctx context.Context) (string, error) {
	access, err := t.tryRenew(ctx)
	if err == nil {
		return access, nil
	}
	if access, ok := t.fallback(); ok && ctx.Err() == nil {
		return access, nil
	}
	return "", err
}

func (t *Tokens) tryRenew(ctx context.Context) (string, error) {
	for range loserLooks {
		if _, err := t.load(ctx); err != nil {
			return "", err
		}
		if access, ok := t.cached(); ok {
			return access, nil
		}
		mine, err := t.o.Vault.Lock(ctx, t.o.Store, t.o.Owner, lockFor)
		if err != nil {
			return "", t.blocked(ctx, "the token is over or was refused, and the lock to renew it is not to be had")
		}
		if mine {
			return t.holdAndRenew(ctx)
		}
		if access, ok := t.fallback(); ok {
			return access, nil // due but not dead: the one who renews will be done before it is
		}
		if !pause(ctx, loserWait) {
			break
		}
	}
	return "", t.blocked(ctx, "another replica is renewing the token")
}

// holdAndRenew runs under the lock. Once begun it goes on when the caller gives up: a rotating refresh token that was used and whose
// successor is dropped locks the store out.
func (t *Tokens) holdAndRenew(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), refreshFor, &timeoutError{after: refreshFor})
	defer cancel()
	defer func() { _ = t.o.Vault.Unlock(ctx, t.o.Store, t.o.Owner) }() // the lock runs out by itself
	version, err := t.load(ctx)
	if err != nil {
		return "", err
	}
	if access, ok := t.cached(); ok {
		return access, nil
	}
	if err := t.exchange(ctx, version); err != nil {
		return "", err
	}
	if access, ok := t.fallback(); ok {
		return access, nil
	}
	return "", t.fail(connectors.Unauthorised, errors.New("the new token is already over"))
}

// load reads the vault and takes its token over if it is newer. A blob that cannot be opened (the seal key has changed) counts as none.
func (t *Tokens) load(ctx context.Context) (version int64, err error) {
	blob, version, err := t.o.Vault.Load(ctx, t.o.Store)
	if err != nil {
		return 0, t.blocked(ctx, "vault is not to be read")
	}
	if k, ok := t.seal.open(blob); ok {
		t.adopt(k)
	}
	return version, nil
}

// exchange gets a new token for the one in use and stores it. What an earlier try renewed and could not store comes first.
func (t *Tokens) exchange(ctx context.Context, version int64) error {
	t.mu.Lock()
	base, unsaved := t.cur, t.unsaved
	t.mu.Unlock()
	if unsaved != nil && unsaved.Issued.After(base.Issued) {
		return t.save(ctx, *unsaved, version)
	}
	next, err := t.refresh(ctx, base)
	if connectors.KindOf(err) == connectors.Unauthorised {
		return t.refusedBy(ctx, base, version, err)
	}
	if err != nil {
		return err
	}
	return t.save(ctx, next, version)
}

// refusedBy deals with a refresh token that the platform no longer accepts: another replica may have used it just before (then the vault
// knows its successor), or a person may have authorised anew (then the configured token is the good one).
func (t *Tokens) refusedBy(ctx context.Context, base Token, version int64, refusal error) error {
	now, err := t.load(ctx)
	if err != nil {
		return err
	}
	if _, ok := t.cached(); ok {
		return nil
	}
	if initial := t.o.Initial; now == version && initial.Refresh != base.Refresh {
		if next, err := t.refresh(ctx, initial); err == nil {
			next.Issued = after(next.Issued, base.Issued)
			return t.save(ctx, next, version)
		}
	}
	return refusal
}

// refresh asks the platform, unless it refused the same refresh token a short while ago.
func (t *Tokens) refresh(ctx context.Context, base Token) (Token, error) {
	now := t.o.Now()
	t.mu.Lock()
	known := base.Refresh == t.refused && now.Before(t.until)
	t.mu.Unlock()
	if base.Refresh == "" || known {
		return Token{}, t.fail(connectors.Unauthorised, errors.New("a person must authorise the store again"))
	}
	next, err := t.o.Refresh(ctx, base.Refresh)
	if err != nil {
		if connectors.KindOf(err) == connectors.Unauthorised {
			t.mu.Lock()
			t.refused, t.until = base.Refresh, now.Add(refusedFor)
			t.mu.Unlock()
		}
		return Token{}, err
	}
	if next.Access == "" {
		return Token{}, t.fail(connectors.Malformed, errors.New("the platform gave no access token"))
	}
	if next.Refresh == "" {
		next.Refresh, next.RefreshExpires = base.Refresh, base.RefreshExpires
	}
	if next.Issued.IsZero() {
		next.Issued = now
	}
	next.Issued = after(next.Issued, base.Issued)
	return next, nil
}

// after keeps the order of tokens when the clock of this replica is behind the one that renewed last.
func after(at, before time.Time) time.Time {
	if at.After(before) {
		return at
	}
	return before.Add(time.Millisecond)
}

// save stores a new token and only then uses it. When somebody else was first, theirs is used.
func (t *Tokens) save(ctx context.Context, k Token, version int64) error {
	blob, err := t.seal.seal(k)
	if err != nil {
		return t.fail(connectors.Unavailable, err)
	}
	_, ok, err := t.o.Vault.Save(ctx, t.o.Store, blob, version)
	t.mu.Lock()
	t.unsaved = nil
	if err != nil {
		t.unsaved = &k
	}
	t.mu.Unlock()
	if err != nil {
		return t.fail(connectors.Unavailable, errors.New("vault is not to be written"))
	}
	if !ok {
		_, err := t.load(ctx)
		return err
	}
	t.adopt(k)
	return nil
}

// blocked keeps a caller's giving up apart from a vault that is out.
func (t *Tokens) blocked(ctx context.Context, what string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("token %s: %w", t.o.Store, err)
	}
	return t.fail(connectors.Unavailable, errors.New(what))
}

// pause waits; false when the caller gave up.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
