package handle_test

import (
	"slices"
	"testing"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

// measure is a meter that writes down what it is told, in order.
type measure struct {
	w    *world
	said []string
}

func (m *measure) Took(_ sla.Platform, d time.Duration) { m.said = append(m.said, "took "+d.String()) }
func (m *measure) Waits(_ sla.Platform, d time.Duration) {
	m.said = append(m.said, "waits "+d.String())
}
func (m *measure) Done(sla.Platform, sla.DisputeID) { m.said = append(m.said, "done") }
func (m *measure) Due(_ sla.Platform, _ sla.Case, guard time.Time) {
	m.said = append(m.said, "due "+guard.Sub(actAt).String())
}
func (m *measure) PutOff(_ sla.Platform, _ sla.DisputeID, until time.Time) {
	m.said = append(m.said, "until "+until.Sub(m.w.now).String())
}

func TestAnAnswerThatWaitsForAPersonIsNoLongerDue(t *testing.T) {
	t.Parallel()
	w := opened(t, damaged, func(w *world) { w.rule.ApproveAbove.Value = slatest.USD(1) })
	m := &measure{w: w}
	w.handlers.Meter = m
	w.until(actAt.Add(time.Minute))
	if len(m.said) == 0 || m.said[len(m.said)-1] != "done" {
		t.Errorf("want nothing due in the end, got %q", m.said)
	}
	w.sent()
}

func TestTheMeterIsToldWhatAnAnswerTookAndWhatIsDue(t *testing.T) {
	t.Parallel()
	throttled := func(cause error) error {
		return &connectors.Error{Op: "fake", Kind: connectors.Throttled, RetryAfter: 90 * time.Second, Err: cause}
	}
	const due = "due 34h0m0s" // 36 hours before the deadline, of which the last two are guard's
	for name, c := range map[string]struct {
		reads, answers  time.Duration
		readErr, answer error
		want            []string
	}{
		"accepted":               {2 * time.Second, 3 * time.Second, nil, nil, []string{due, "took 5s", "done"}},
		"refused at once":        {0, 100 * time.Millisecond, nil, platformError(connectors.Unavailable), []string{due}},
		"refused just in time":   {0, time.Second - 1, nil, platformError(connectors.Unavailable), []string{due}},
		"failed in a second":     {0, time.Second, nil, platformError(connectors.Unavailable), []string{due, "took 1s"}},
		"by a frozen process":    {0, time.Hour, nil, nil, []string{due, "took 1m0s", "done"}},
		"failed slowly":          {0, 9 * time.Second, nil, platformError(connectors.Unavailable), []string{due, "took 9s"}},
		"unknown":                {0, 9 * time.Second, nil, platformError(connectors.OutcomeUnknown), []string{due, "took 9s", "done"}},
		"told to wait":           {0, 0, nil, throttled(nil), []string{due, "until 1m30s", "waits 1m30s"}},
		"by our own limit":       {0, 0, nil, throttled(connectors.ErrOwnLimit), []string{due, "until 1m30s"}},
		"already by the reading": {0, 0, throttled(connectors.ErrOwnLimit), nil, []string{due, "until 1m30s"}},
		"a person's":             {0, 0, platformError(connectors.NotFound), nil, []string{due, "done"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := opened(t)
			m := &measure{w: w}
			w.handlers.Meter = m
			w.until(actAt.Add(-time.Second)) // nothing is due before
			w.platform.readErr = c.readErr
			w.platform.replies = append(w.platform.replies, reply{err: c.answer})
			w.fault = func(p point) bool {
				switch {
				case p.name == "lookup" && p.when == "before":
					w.now = w.now.Add(c.reads)
				case p.name == "respond" && p.when == "before":
					w.now = w.now.Add(c.answers)
				}
				return false
			}
			w.now = actAt
			w.sweep()
			if !slices.Equal(m.said, c.want) {
				t.Errorf("want %q, got %q", c.want, m.said)
			}
		})
	}
}
