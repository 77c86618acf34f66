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

// first is the instant of a thing, now if it has none yet, and from then on.
func (m *instants[K]) first(of K, now time.Time) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.young[of]
	if ok {
		return at
	}
	if at, ok = m.old[of]; !ok {
		at = now
	}
	m.put(of, at)
	return at
}

// of is the instant of a thing; zero when it has none.
func (m *instants[K]) of(thing K) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.young[thing]; ok {
		return at
	}
	return m.old[thing]
}

// set gives a thing an instant.
func (m *instants[K]) set(thing K, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(thing, at)
}

func (m *instants[K]) put(thing K, at time.Time) {
	if _, ok := m.young[thing]; !ok && len(m.young) >= m.most {
		m.young, m.old = map[K]time.Time{}, m.young
	}
	m.young[thing] = at
}
