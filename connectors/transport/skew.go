package transport

import (
	"net/http"
	"slices"
	"sync"
	"time"
)

// dateResolution is how much of a difference a Date header cannot show: it has whole seconds, and both ends round.
const dateResolution = 2 * time.Second

// skews keeps the last five measurements of the platform's clock against ours.
type skews struct {
	mu   sync.Mutex
	last []time.Duration
}

// measure reads the Date header of a reply to a call that began at start and took so long. A difference within the header's
// resolution, or within what the length of the call leaves open, is no difference.
func (s *skews) measure(h http.Header, start time.Time, took time.Duration) (date time.Time, skew time.Duration) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}, 0
	}
	skew = date.Sub(start.Add(took / 2))
	if skew.Abs() <= dateResolution+took/2 {
		skew = 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = append(s.last, skew)
	if len(s.last) > 5 {
		s.last = slices.Delete(s.last, 0, 1)
	}
	return date.UTC(), skew
}

// Skew is the platform's clock minus ours: the median of the last five replies that told a date, 0 before the first.
func (c *Client) Skew() time.Duration {
	c.skews.mu.Lock()
	sorted := slices.Sorted(slices.Values(c.skews.last))
	c.skews.mu.Unlock()
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)/2]
}
