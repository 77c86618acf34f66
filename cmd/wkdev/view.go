package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/handle"
)

// A view shows what happens. It listens to the fleet's own log (it is a zap core), to the notices, and to the platforms' log.
type view struct {
	zapcore.LevelEnabler
	mu     sync.Mutex
	out    io.Writer
	house  *embedded.House
	every  time.Duration // between two summaries
	next   time.Time
	heard  int // entries of the platforms' log shown so far
	paged  map[string]bool
	tight  bool // as fast as possible: only summaries and what is rare
	waits  []line
	totals struct{ answered, anomalies int }
}

// A line waits for the end of its step: the platforms' log is read there, and what happened in a step is shown in order.
type line struct {
	at   time.Time
	text string
}

func newView(out io.Writer, paced bool) *view {
	v := &view{LevelEnabler: zap.InfoLevel, out: out, every: 24 * time.Hour, tight: !paced, paged: map[string]bool{}}
	if paced {
		v.every = 6 * time.Hour
	}
	return v
}

func (v *view) begin(h *embedded.House, d *demo) {
	v.house = h
	who := "the fleet is on watch"
	if d.withoutFleet {
		who = "nobody is on watch"
	}
	fmt.Fprintf(v.out, "Watchkeeper demonstration: %d days from %s, seed %d, %s.\n", d.days, h.Now().Format("2 January 2006"), d.seed, who)
	if d.faults {
		fmt.Fprintln(v.out, "The platforms throttle, fail, lose replies, shift pages, move deadlines, expire tokens and go dark.")
	}
	v.next = h.Now()
}

// step shows what the platforms' log has since the last step, and a summary now and then.
func (v *view) step(now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	log := v.house.World.Log()
	for _, e := range log[v.heard:] {
		v.entry(e)
	}
	v.heard = len(log)
	v.flush()
	if !now.Before(v.next) {
		v.next = now.Add(v.every)
		v.summary(now)
	}
}

// entry shows one change on a platform, when it is worth a line at this speed.
func (v *view) entry(e simulator.Entry) {
	what := ""
	switch e.Kind {
	case simulator.KindOpened:
		what = "buyer opens a dispute, " + e.Detail
	case simulator.KindEdited:
		what = "buyer changes the claim to " + e.Amount.String()
	case simulator.KindArbitrated:
		what = "buyer calls the platform"
	case simulator.KindMoved:
		what = "platform moves the deadline"
	case simulator.KindBreached:
		v.say(e.At, fmt.Sprintf("%s/%s  DEADLINE FELL IN SILENCE: the platform pays %s", e.Store, e.Subject, e.Amount))
		return
	case simulator.KindAgreed, simulator.KindProposed:
		v.totals.answered++
		if e.Actor == simulator.ActorPerson {
			what = "a person answers in the back office"
		}
	}
	if what != "" && !v.tight {
		v.say(e.At, fmt.Sprintf("%s/%s  %s", e.Store, e.Subject, what))
	}
}

func (v *view) say(at time.Time, text string) { v.waits = append(v.waits, line{at, text}) }

// flush shows what waits, in the order in which it happened.
func (v *view) flush() {
	slices.SortStableFunc(v.waits, func(a, b line) int { return a.at.Compare(b.at) })
	for _, l := range v.waits {
		fmt.Fprintf(v.out, "%s  %s\n", l.at.Format("02 Jan 15:04"), l.text)
	}
	v.waits = v.waits[:0]
}

// end shows what a step that failed has left.
func (v *view) end() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.flush()
}

// summary counts the open cases down, and names those that are answered next: not the ones that wait for the platform to show an answer.
func (v *view) summary(now time.Time) {
	r := v.house.World.Report()
	fmt.Fprintf(v.out, "── %s  disputes %d, answered %d, open %d, breached %d, parcels %d, anomalies seen %d\n", now.Format("Mon 02 Jan 15:04"),
		r.Disputes, r.AnsweredInTime+r.ByPerson, r.Open, r.Breached, r.Shipments, v.totals.anomalies)
	open, err := v.house.Open(context.Background())
	if err != nil {
		fmt.Fprintln(v.out, "   the open cases cannot be read:", err)
		return
	}
	const shown = 3
	open = slices.DeleteFunc(open, func(c sla.CaseRecord) bool { return c.Answered || c.Obligation.Deadline.IsZero() })
	for _, c := range open[:min(shown, len(open))] {
		fmt.Fprintf(v.out, "   %s  %-16s  %9s left, silence costs %s\n", c.ID, c.Reason, brief(c.Obligation.Deadline.Sub(now)), c.Obligation.Cost)
	}
}

// notice is told of warnings and pages.
func (v *view) notice(kind string, n handle.Notice) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if kind == "page" {
		v.paged[n.Case.ID.String()] = true
	}
	if kind == "warn" && v.tight {
		return
	}
	left := n.Decision.Deadline.Sub(v.house.Now())
	v.say(v.house.Now(), fmt.Sprintf("%s  %s: %s, %s left", n.Case.ID, strings.ToUpper(kind), n.Why, brief(left)))
}

// pagedCases is how many cases a person was paged for.
func (v *view) pagedCases() map[string]bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.paged
}

// With implements zapcore.Core: the demonstration needs no bound fields.
func (v *view) With([]zapcore.Field) zapcore.Core { return v }

// Check implements zapcore.Core.
func (v *view) Check(e zapcore.Entry, c *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if v.Enabled(e.Level) && (e.Message == "answered" || e.Message == "parcel anomaly" || e.Message == "outcome learnt") {
		return c.AddCore(e, v)
	}
	return c
}

// Write shows a line of the fleet's log that people want to see.
func (v *view) Write(e zapcore.Entry, fields []zapcore.Field) error {
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range fields {
		f.AddTo(enc)
	}
	get := func(name string) string { return fmt.Sprint(enc.Fields[name]) }
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e.Message {
	case "answered":
		v.say(v.house.Now(), fmt.Sprintf("%s  answer %s (%s): %s, %s left, %s", get("case"), get("answer"), get("why"), get("outcome"), get("left"), get("amount")))
	case "outcome learnt":
		v.say(v.house.Now(), fmt.Sprintf("%s  the platform was asked about %s: %s", get("case"), get("answer"), get("outcome")))
	case "parcel anomaly":
		v.totals.anomalies++
		if !v.tight {
			v.say(v.house.Now(), fmt.Sprintf("parcel %s  %s", get("parcel"), get("anomaly")))
		}
	}
	return nil
}

// Sync implements zapcore.Core.
func (v *view) Sync() error { return nil }

// brief is a duration in days and hours.
func brief(d time.Duration) string {
	if d < 0 {
		return "no time"
	}
	return fmt.Sprintf("%dd %02dh", int(d.Hours())/24, int(d.Hours())%24)
}
