package transport

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/sync/singleflight"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

const (
	lockFor      = time.Minute            // longer than any refresh, so that two never run at once
	refreshFor   = 30 * time.Second       // of one refresh, saving included
	expiryMargin = 30 * time.Second       // a token this close to its end may die on the way
	refusedFor   = 10 * time.Minute       // a refused refresh token is not tried again for this long
	loserWait    = 250 * time.Millisecond // between two looks at the vault while another replica refreshes
	loserLooks   = 8
)

// A Token is a rotating credential. It never prints itself.
type Token struct {
	Access, Refresh string
	Expires         time.Time // of Access; zero: not told
	RefreshExpires  time.Time
	Issued          time.Time // orders the tokens of a store: a later one is never replaced by an earlier one
}

// String hides the token.
func (t Token) String() string { return hidden }

// GoString hides the token.
func (t Token) GoString() string { return hidden }

// MarshalJSON hides the token.
func (t Token) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// TokenOptions says where one store's token lives and how it is renewed.
type TokenOptions struct {
	Store sla.StoreID
	Vault connectors.TokenVault
	Now   func() time.Time
	// SealKeys are secrets of at least MinSealKey bytes, the same on each replica: the first seals, and all open what was sealed before.
	SealKeys [][]byte
	Initial  Token // what the operator configured; used while the vault is empty, and when the vault's refresh token is refused
	// Refresh asks the platform for a new token; an error of kind Unauthorised means that the refresh token is not accepted. A reply
	// without a new refresh token keeps the old one.
	Refresh func(ctx context.Context, refresh string) (Token, error)
	Owner   string // names this process, for the lock and the jitter
}

// Tokens gives one store's access token and renews it, together with every other replica. It is safe for concurrent use.
type Tokens struct {
	o     TokenOptions
	seal  sealer
	group singleflight.Group

	mu      sync.Mutex
	cur     Token
	bad     string    // an access token that the platform refused
	unsaved *Token    // renewed, and not stored yet: not to be used
	refused string    // a refresh token that the platform refused
	until   time.Time // when the refused one may be tried again
}

// NewTokens checks the options; it makes no call.
func NewTokens(o TokenOptions) (*Tokens, error) {
	if o.Store == "" || o.Vault == nil || o.Now == nil || o.Refresh == nil || o.Owner == "" {
		return nil, errors.New("token options: Store, Vault, Now, Refresh and Owner are required")
	}
	if o.Initial.Access == "" && o.Initial.Refresh == "" {
		return nil, fmt.Errorf("token options of %s: no access or refresh token to begin with", o.Store)
	}
	s, err := newSealer(o.SealKeys, o.Store)
	if err != nil {
		return nil, fmt.Errorf("token options of %s: %w", o.Store, err)
	}
	return &Tokens{o: o, seal: s, cur: o.Initial}, nil
}

// Access is the token to use now. It is renewed at four fifths of its life, by one replica at a time, and stored before it is used.
func (t *Tokens) Access(ctx context.Context) (string, error) {
	for {
		if access, ok := t.cached(); ok {
			return access, nil
		}
		v, err, shared := t.group.Do("", func() (any, error) { return t.renew(ctx) })
		if access, ok := v.(string); ok && err == nil {
			return access, nil
		}
		// The caller who went first may have given up; that is no answer for the others.
		if !shared || !errors.Is(err, context.Canceled) || ctx.Err() != nil {
			return "", err
		}
	}
}

// Invalidate tells that the platform refused an access token: the next Access takes a newer one from the vault or renews it.
func (t *Tokens) Invalidate(_ context.Context, bad string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cur.Access == bad {
		t.bad = bad
	}
}

// Credential tells what is known of the token that all replicas share, or of the configured one while there is none. It renews nothing.
func (t *Tokens) Credential(ctx context.Context) (connectors.Credential, error) {
	blob, version, err := t.o.Vault.Load(ctx, t.o.Store)
	if err != nil {
		return connectors.Credential{}, fmt.Errorf("credential of %s: %w", t.o.Store, err)
	}
	k, stored := t.o.Initial, version > 0 || len(blob) > 0
	if stored {
		opened, ok := t.seal.open(blob)
		if !ok {
			return connectors.Credential{Stored: true, Sealed: true}, nil
		}
		k = opened
	}
	return connectors.Credential{
		Stored: stored, Renewable: k.Refresh != "", Issued: k.Issued, Expires: k.Expires, RefreshExpires: k.RefreshExpires,
	}, nil
}

func (t *Tokens) cached() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cur.Access, t.usable(t.cur) && t.o.Now().Before(t.renewAt(t.cur))
}

// usable reports whether a token may still be sent. The caller holds the lock.
func (t *Tokens) usable(k Token) bool {
	return k.Access != "" && k.Access != t.bad && (k.Expires.IsZero() || t.o.Now().Before(k.Expires.Add(-expiryMargin)))
}

// renewAt is four fifths of a token's life, less up to a twentieth that depends on the owner, so that replicas do not all come at once.
func (t *Tokens) renewAt(k Token) time.Time {
	if k.Expires.IsZero() {
		return t.o.Now().Add(time.Hour)
	}
	if k.Issued.IsZero() || !k.Issued.Before(k.Expires) {
		return k.Expires.Add(-5 * time.Minute)
	}
	life := k.Expires.Sub(k.Issued)
	jitter := life / 20 / 64 * time.Duration(xxhash.Sum64String(t.o.Owner)%64)
	return k.Issued.Add(life/5*4 - jitter)
}

// adopt takes a token over if it is not older than ours.
func (t *Tokens) adopt(k Token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.Access != "" && !k.Issued.Before(t.cur.Issued) {
		t.cur = k
	}
}

func (t *Tokens) fallback() (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cur.Access, t.usable(t.cur)
}

func (t *Tokens) fail(kind connectors.Kind, cause error) error {
	return &connectors.Error{Op: "token", Subject: string(t.o.Store), Kind: kind, Err: cause}
}
