package store

import (
	"context"
	"time"

	"watchkeeper/sla"
)

func (s *Store) vaultKey(store sla.StoreID) string {
	return s.keys[s.shardOf(string(store))].vault(store)
}

// Load gives a store's sealed credential and its version; an empty one and 0 when there is none.
func (s *Store) Load(ctx context.Context, store sla.StoreID) (blob []byte, version int64, err error) {
	op := "load credential of " + string(store)
	values, err := s.rdb.HMGet(ctx, s.vaultKey(store), "v", "b").Result()
	if err != nil {
		return nil, 0, wrap(op, err)
	}
	if values[0] == nil {
		return nil, 0, nil
	}
	if version = parseInt(values[0]); version == 0 {
		return nil, 0, wrap(op, ErrUnreadable)
	}
	return bytesOf(values[1]), version, nil
}

// Save stores a sealed credential if its version is still the given one (0 for none), and gives the new version; false when somebody
// else was first.
func (s *Store) Save(ctx context.Context, store sla.StoreID, blob []byte, version int64) (int64, bool, error) {
	reply, err := s.runOne(ctx, call{script: saveScript, keys: []string{s.vaultKey(store)},
		args: []any{version, version + 1, blob}})
	if err != nil {
		return 0, false, wrap("save credential of "+string(store), err)
	}
	if reply != int64(1) {
		return 0, false, nil
	}
	return version + 1, true, nil
}

// Lock takes the right to refresh a store's credential for at most ttl; false when another holds it. The holder may lock again.
func (s *Store) Lock(ctx context.Context, store sla.StoreID, owner string, ttl time.Duration) (bool, error) {
	now := s.now()
	reply, err := s.runOne(ctx, call{script: lockScript, keys: []string{s.vaultKey(store)},
		args: []any{owner, now.UnixMilli(), now.Add(ttl).UnixMilli()}})
	return reply == int64(1), wrap("lock credential of "+string(store), err)
}

// Unlock gives the right to refresh back. A lock that ran out, or that another holds by now, is no error.
func (s *Store) Unlock(ctx context.Context, store sla.StoreID, owner string) error {
	_, err := s.runOne(ctx, call{script: unlockScript, keys: []string{s.vaultKey(store)}, args: []any{owner}})
	return wrap("unlock credential of "+string(store), err)
}
