package notify

import "time"

// Bounds of what is remembered of messages.
const (
	sameFor   = time.Hour
	remembers = 10_000
)

// memory knows which messages were posted within the last hour. It forgets the oldest when it is full: told twice is better than a
// process without memory.
type memory struct {
	at    map[key]time.Time
	order []seen // oldest first; an entry whose time is not the map's is one that was forgotten
}

type seen struct {
	key key
	at  time.Time
}

// fresh reports whether the message is new, and remembers it.
func (m *memory) fresh(k key, now time.Time) bool {
	for len(m.order) > 0 && (len(m.order) >= remembers || now.Sub(m.order[0].at) >= sameFor) {
		if first := m.order[0]; m.at[first.key].Equal(first.at) {
			delete(m.at, first.key)
		}
		m.order = m.order[1:]
	}
	if _, known := m.at[k]; known {
		return false
	}
	m.at[k] = now
	m.order = append(m.order, seen{key: k, at: now})
	return true
}

// forget lets a message through that people did not get.
func (m *memory) forget(k key) { delete(m.at, k) }
