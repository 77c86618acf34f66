package handle

import (
	"sync"
	"time"
)

// instants remembers an instant for each of many things. A restart forgets them. It is safe for concurrent use and bounded: two generations, the
// older of which is dropped when the younger is full.
type instants[K comparable] struct {
	mu         sync.Mutex
	most       int // of a generation
	young, old map[K]time.Time
}

func newInstants[K comparable](most int) *instants[K] {
	return &instants[K]{most: most, young: map[K]time.Time{}}
}

// first is the instant of a key: now if it has none yet, and the same from then on.
func (m *instants[K]) first(key K, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.young[key]
	if ok {
		return at
	}
	if at, ok = m.old[key]; !ok {
		at = now
	}
	m.put(key, at)
	return at
}

// get is the instant of a key; zero when it has none.
func (m *instants[K]) get(key K) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.young[key]; ok {
		return at
	}
	return m.old[key]
}

// set gives a key an instant.
func (m *instants[K]) set(key K, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, at)
}

func (m *instants[K]) put(key K, at time.Time) {
	if _, ok := m.young[key]; !ok && len(m.young) >= m.most {
		m.young, m.old = map[K]time.Time{}, m.young
	}
	m.young[key] = at
}
