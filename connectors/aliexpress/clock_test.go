package aliexpress

import (
	"testing"
	"time"
)

func TestPacificTimesBecomeInstants(t *testing.T) {
	t.Parallel()
	for wall, want := range map[text]string{
		"2026-01-10 03:12:44":     "2026-01-10T11:12:44Z", // winter
		"2026-07-10 03:12:44":     "2026-07-10T10:12:44Z", // summer
		"2026-03-08 01:59:59":     "2026-03-08T09:59:59Z", // the last second before the hour left out
		"2026-03-08 02:00:00":     "2026-03-08T09:00:00Z", // never on the clock: the earlier of its two readings
		"2026-03-08 02:30:00":     "2026-03-08T09:30:00Z",
		"2026-03-08 03:00:00":     "2026-03-08T10:00:00Z", // the first second after it
		"2026-11-01 00:59:59":     "2026-11-01T07:59:59Z",
		"2026-11-01 01:00:00":     "2026-11-01T08:00:00Z", // on the clock twice: the earlier
		"2026-11-01 01:59:59":     "2026-11-01T08:59:59Z",
		"2026-11-01 02:00:00":     "2026-11-01T10:00:00Z",
		"2028-02-29 12:00:00":     "2028-02-29T20:00:00Z",
		"2026-01-10 03:12:44.500": "2026-01-10T11:12:44.5Z",
	} {
		if got := instant(wall).UTC().Format(time.RFC3339Nano); got != want {
			t.Errorf("%s: want %s, got %s", wall, want, got)
		}
	}
	for _, wall := range []text{"", "0000-00-00 00:00:00", "1970-01-01 00:00:00", "2026-13-01 00:00:00", "2026-02-30 00:00:00", "1767225600000", "tomorrow", "9999-12-31 23:59:59", "2026-01-10T03:12:44Z"} {
		if got := instant(wall); !got.IsZero() {
			t.Errorf("%s: want no time, got %v", wall, got)
		}
	}
}

func TestOrderIsUnsureInTheHourThatComesTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b text
		want bool
	}{
		{"2026-06-01 12:00:01", "2026-06-01 12:00:00", true},
		{"2026-06-01 12:00:00", "2026-06-01 12:00:00", false},
		{"2026-11-01 01:50:00", "2026-11-01 01:10:00", false}, // the second may be of the hour's second round
		{"2026-11-01 02:10:00", "2026-11-01 01:10:00", true},
		{"2026-11-01 01:10:00", "2026-11-01 00:50:00", true},
	} {
		if got := clearlyAfter(instant(c.a), instant(c.b)); got != c.want {
			t.Errorf("%s after %s: want %v, got %v", c.a, c.b, c.want, got)
		}
	}
}
