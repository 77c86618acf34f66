package aliexpress

import (
	"sync"

	"watchkeeper/sla"
)

// knownLimit is how many disputes a store remembers at least; twice as many at most.
const knownLimit = 20_000

// known is what calls need of a dispute and no record of ours may hold, or what only another reply tells. It lives in memory only.
type known struct {
	buyer  string // the login that each call wants
	parent string // the order above the disputed one
	reason sla.Reason
}

// memory keeps what is known of the disputes used last, in two generations: the older is dropped when the younger is full. It is safe
// for concurrent use.
type memory struct {
	mu         sync.Mutex
	limit      int
	young, old map[string]known
}

func newMemory(limit int) *memory {
	return &memory{limit: limit, young: map[string]known{}}
}

// get finds what is known, and makes it young again.
func (m *memory) get(id string) (known, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(id)
}

func (m *memory) find(id string) (known, bool) {
	k, ok := m.young[id]
	if ok {
		return k, true
	}
	if k, ok = m.old[id]; ok {
		m.keep(id, k)
	}
	return k, ok
}

func (m *memory) keep(id string, k known) {
	if _, there := m.young[id]; !there && len(m.young) >= m.limit {
		m.young, m.old = map[string]known{}, m.young
	}
	m.young[id] = k
}

// learn adds what is newly known to what was, and gives both together. What is empty or unknown changes nothing.
func (m *memory) learn(id string, k known) known {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, _ := m.find(id)
	if k.buyer == "" {
		k.buyer = before.buyer
	}
	if k.parent == "" {
		k.parent = before.parent
	}
	if k.reason == sla.ReasonUnknown {
		k.reason = before.reason
	}
	if k != before {
		m.keep(id, k)
	}
	return k
}
