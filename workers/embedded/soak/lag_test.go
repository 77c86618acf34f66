package soak

import (
	"testing"
	"time"
)

func TestALagIsFromTheKillOfWhoHeldACaseToTheNextWhoAsks(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Date(2026, time.March, 1, 12, 0, s, 0, time.UTC) }
	act, end, k := at(100), at(500), killing{at: at(200), number: 1}
	touches := func(of ...int) (out []touch) { // pairs of second and daemon
		for i := 0; i < len(of); i += 2 {
			out = append(out, touch{at: at(of[i]), by: of[i+1]})
		}
		return out
	}
	for name, c := range map[string]struct {
		answered    int // second; 0: never
		asked       []touch
		lag         int
		held, begun bool
	}{
		"nobody had asked":              {300, touches(10, 2, 204, 2), 4, true, false},
		"the killed one had asked":      {300, touches(10, 2, 190, 1, 207, 2), 7, true, true},
		"another had asked since":       {300, touches(190, 1, 195, 2, 207, 2), 0, false, false},
		"the killed one asks last":      {300, touches(190, 1, 201, 1, 203, 2), 3, true, true},
		"its answer arrived after all":  {202, touches(190, 1, 207, 2), 0, false, true},
		"nobody ever asks":              {0, touches(190, 1), 300, true, true},
		"nobody ever asks, by another":  {0, touches(190, 2), 0, false, false},
		"it was only read, before time": {300, touches(20, 1, 204, 2), 4, true, false},
	} {
		var answered time.Time
		if c.answered > 0 {
			answered = at(c.answered)
		}
		lag, held, begun := lagOf(k, act, answered, c.asked, end)
		if held && lag != time.Duration(c.lag)*time.Second || held != c.held || begun != c.begun {
			t.Errorf("%s: want %ds %t %t, got %s %t %t", name, c.lag, c.held, c.begun, lag, held, begun)
		}
	}
}
