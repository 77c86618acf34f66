package simulation

import (
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/memstore"
)

// InMemory is a server that costs nothing.
type InMemory struct{ world *memstore.World }

// NewInMemory makes an empty server.
func NewInMemory() InMemory { return InMemory{memstore.NewWorld(shards)} }

var _ Memory = (*memstore.Store)(nil)

// Open gives a process its own handle.
func (m InMemory) Open(h Handle) (Memory, error) {
	return memstore.Open(m.world, store.Options{Now: h.Now, Stores: h.Stores, Settle: h.Settle})
}

// Flush loses everything.
func (m InMemory) Flush() { m.world.Flush() }

// Snapshot keeps everything there is.
func (m InMemory) Snapshot() any { return m.world.Snapshot() }

// Restore goes back to a point, as another server that takes over, or one that starts from an older file.
func (m InMemory) Restore(point any) {
	m.world.Restore(point.(memstore.Snapshot)) //nolint:forcetypeassert // made by Snapshot
	m.world.TakeOver()
}
