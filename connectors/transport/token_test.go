package transport_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// vault is an in-memory vault that can be made to fail.
type vault struct {
	mu      sync.Mutex
	blob    []byte
	version int64
	owner   string
	out     bool // nothing works
	full    bool // Save does not work
}

var errVault = errors.New("vault is out")

func (v *vault) Load(context.Context, sla.StoreID) ([]byte, int64, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.out {
		return nil, 0, errVault
	}
	return bytes.Clone(v.blob), v.version, nil
}

func (v *vault) Save(_ context.Context, _ sla.StoreID, blob []byte, version int64) (int64, bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.out || v.full {
		return 0, false, errVault
	}
	if version != v.version {
		return 0, false, nil
	}
	v.blob, v.version = bytes.Clone(blob), v.version+1
	return v.version, true, nil
}

func (v *vault) Lock(_ context.Context, _ sla.StoreID, owner string, _ time.Duration) (bool, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.out {
		return false, errVault
	}
	if v.owner != "" && v.owner != owner {
		return false, nil
	}
	v.owner = owner
	return true, nil
}

func (v *vault) Unlock(_ context.Context, _ sla.StoreID, owner string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.owner == owner {
		v.owner = ""
	}
	return nil
}

// issuer is a platform with rotating refresh tokens: each is good once.
type issuer struct {
	mu     sync.Mutex
	n      int
	good   string
	calls  int
	fault  error
	active atomic.Int32
	most   atomic.Int32
}

func (i *issuer) refresh(now func() time.Time) func(context.Context, string) (transport.Token, error) {
	return func(_ context.Context, r string) (transport.Token, error) {
		if n := i.active.Add(1); n > i.most.Load() {
			i.most.Store(n)
		}
		defer i.active.Add(-1)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.calls++
		if i.fault != nil {
			return transport.Token{}, i.fault
		}
		if r != i.good {
			return transport.Token{}, &connectors.Error{Op: "refresh", Kind: connectors.Unauthorised}
		}
		i.n++
		i.good = fmt.Sprint("r", i.n)
		return transport.Token{Access: fmt.Sprint("a", i.n), Refresh: i.good, Issued: now(), Expires: now().Add(time.Hour)}, nil
	}
}

// world is one store's vault, platform and clock; each replica of it has its own Tokens.
type world struct {
	vault  vault
	issuer issuer
	now    atomic.Int64
}

func newWorld() *world {
	w := &world{issuer: issuer{good: "r0"}}
	w.now.Store(epoch.UnixNano())
	return w
}

func (w *world) clock() time.Time         { return time.Unix(0, w.now.Load()).UTC() }
func (w *world) advance(by time.Duration) { w.now.Add(int64(by)) }

func (w *world) replica(t *testing.T, owner string, with ...func(*transport.TokenOptions)) *transport.Tokens {
	t.Helper()
	o := transport.TokenOptions{Store: "S1", Vault: &w.vault, Now: w.clock, SealKeys: [][]byte{[]byte("0123456789abcdef")}, Owner: owner,
		Initial: transport.Token{Access: "a0", Refresh: "r0", Issued: epoch, Expires: epoch.Add(time.Hour)}, Refresh: w.issuer.refresh(w.clock)}
	for _, f := range with {
		f(&o)
	}
	k, err := transport.NewTokens(o)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func wantAccess(t *testing.T, k *transport.Tokens, want string) {
	t.Helper()
	if got, err := k.Access(context.Background()); err != nil || got != want {
		t.Fatalf("want %s, got %q (%v)", want, got, err)
	}
}

func TestTokenOptionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld()
	good := transport.TokenOptions{Store: "S1", Vault: &w.vault, Now: w.clock, SealKeys: [][]byte{make([]byte, 16)}, Owner: "A",
		Initial: transport.Token{Refresh: "r0"}, Refresh: w.issuer.refresh(w.clock)}
	for name, spoil := range map[string]func(*transport.TokenOptions){
		"no vault":   func(o *transport.TokenOptions) { o.Vault = nil },
		"no owner":   func(o *transport.TokenOptions) { o.Owner = "" },
		"no token":   func(o *transport.TokenOptions) { o.Initial = transport.Token{} },
		"short seal": func(o *transport.TokenOptions) { o.SealKeys = [][]byte{make([]byte, 15)} },
	} {
		o := good
		spoil(&o)
		if _, err := transport.NewTokens(o); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if _, err := transport.NewTokens(good); err != nil {
		t.Error(err)
	}
}

func TestTokenIsRenewedAtFourFifthsOfItsLife(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	w.advance(44 * time.Minute)
	wantAccess(t, a, "a0")
	w.advance(4*time.Minute + time.Second)
	wantAccess(t, a, "a1")
	wantAccess(t, a, "a1")
	if w.issuer.calls != 1 || w.vault.version != 1 || bytes.Contains(w.vault.blob, []byte("a1")) {
		t.Errorf("want one refresh, stored under a seal, got %d and version %d", w.issuer.calls, w.vault.version)
	}
}

func TestManyReplicasRenewOnce(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.advance(2 * time.Hour)
	var wg sync.WaitGroup
	for i := range 6 {
		k := w.replica(t, fmt.Sprint("replica", i))
		for range 5 {
			wg.Go(func() {
				if got, err := k.Access(t.Context()); err != nil || got != "a1" {
					t.Errorf("want a1, got %q (%v)", got, err)
				}
			})
		}
	}
	wg.Wait()
	if w.issuer.calls != 1 || w.issuer.most.Load() != 1 {
		t.Errorf("want one refresh, got %d, %d at once", w.issuer.calls, w.issuer.most.Load())
	}
}

func TestInvalidTokenIsReplacedByTheVaultsOrRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a, b := w.replica(t, "A"), w.replica(t, "B")
	a.Invalidate(t.Context(), "something else")
	wantAccess(t, a, "a0")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	wantAccess(t, b, "a0")
	b.Invalidate(t.Context(), "a0")
	wantAccess(t, b, "a1")
	if w.issuer.calls != 1 {
		t.Errorf("want the second replica to take the first one's token, got %d refreshes", w.issuer.calls)
	}
}

func TestRestartedReplicaGoesOnFromTheVault(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	w.advance(50 * time.Minute)
	wantAccess(t, w.replica(t, "C"), "a2")
}

func TestOlderTokenInTheVaultIsNeverUsed(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	old := bytes.Clone(w.vault.blob)
	w.advance(50 * time.Minute)
	wantAccess(t, a, "a2")
	w.vault.blob, w.vault.version = old, 1 // a restored backup
	w.advance(50 * time.Minute)
	wantAccess(t, a, "a3")
	w.vault.blob, w.vault.version = nil, 0 // everything lost
	w.advance(50 * time.Minute)
	wantAccess(t, a, "a4")
}

func TestReplicaWithALateClockDoesNotIssueOlderTokens(t *testing.T) {
	t.Parallel()
	w := newWorld()
	a := w.replica(t, "A")
	late := func() time.Time { return w.clock().Add(-10 * time.Minute) }
	b := w.replica(t, "B", func(o *transport.TokenOptions) { o.Now, o.Refresh = late, w.issuer.refresh(late) })
	a.Invalidate(t.Context(), "a0")
	wantAccess(t, a, "a1")
	b.Invalidate(t.Context(), "a0")
	wantAccess(t, b, "a1")
	b.Invalidate(t.Context(), "a1")
	wantAccess(t, b, "a2")
	a.Invalidate(t.Context(), "a1")
	wantAccess(t, a, "a2")
}
