package simulation

import (
	"encoding/json"
	"fmt"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
)

// An Invariant is what must hold at every step of every world, or at its end.
type Invariant string

// The invariants.
const (
	Armed     Invariant = "I1 each open obligation has a next look no later than its next stage"
	Once      Invariant = "I2 at most one effect for a turn"
	Allowed   Invariant = "I3 no effect after guard, or in shadow, held or killed scopes"
	Within    Invariant = "I4 spent is within every budget"
	InTime    Invariant = "I5 answered before its deadline, or a person was paged with time left"
	Seen      Invariant = "I6 each change is seen, or its feed is known as stale"
	Reachable Invariant = "I7 no record is out of reach"
	Explained Invariant = "I8 every decision explains itself"
	Converges Invariant = "I9 after the faults everything comes to rest"
	Sound     Invariant = "nothing fails that cannot fail"
)

// A Violation is one breach of an invariant.
type Violation struct {
	Invariant Invariant `json:"invariant"`
	Case      string    `json:"case,omitempty"`
	At        time.Time `json:"at"`
	What      string    `json:"what"`
}

// Tolerances of the judge: what a process may do in good faith before it knows better.
const (
	leftToAct  = 15 * time.Minute                                        // a page with less time left is none
	inFlight   = longestFreeze + largestSkew + callTimeout               // between a last check and the send, with a wrong clock
	afterKill  = 65*time.Second + longestFreeze                          // reliability I6, and a freeze behind the brake's reply
	armedLate  = 2*time.Minute + 2*largestSkew                           // a lease, and clocks that are off
	seenWithin = 3*pollEvery + 15*time.Minute                            // a feed that was read after a change shows it
	convergeIn = 2*settle + 2*time.Hour                                  // from the end of the faults
	unsettled  = settle + 2*largestSkew + longestFreeze + 40*time.Minute // an attempt of unknown outcome, when nothing fails
)

// judged is what the judge knows of one dispute.
type judged struct {
	paged map[sla.Turn]time.Time // by the platform's clock
	spent int64
}

// A judge compares what happened with what was promised, by the platform's log.
type judge struct {
	w                  *World
	closed             int
	answered           int
	late, twice, pages int
	breaches           int // deadlines that passed; late are those of which nobody was told
	violations         []Violation
	days               map[string]int64 // spent by store and day, away from midnight
	buyers             map[sla.BuyerKey][]spent
	feeds              map[sla.StoreID]time.Time // as of when each was last read to its end
	fresh              map[sla.StoreID]time.Time // since when it has been read again and again
	told               map[sla.StoreID]time.Time // the last reading by the clock of who read it
	lines              int
}

type spent struct {
	at    time.Time
	minor int64
}

func newJudge(w *World) *judge {
	return &judge{
		w: w, days: map[string]int64{}, buyers: map[sla.BuyerKey][]spent{}, feeds: map[sla.StoreID]time.Time{}, fresh: map[sla.StoreID]time.Time{},
		told: map[sla.StoreID]time.Time{},
	}
}

func (j *judge) violatef(i Invariant, of, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	j.w.tellf(of, violated+" %s: %s", i, what)
	if len(j.violations) < 100 {
		j.violations = append(j.violations, Violation{Invariant: i, Case: of, At: j.w.now, What: what})
	}
}

// paged notes that a person was told of a case.
func (j *judge) paged(n handle.Notice) {
	j.pages++
	d := j.w.dispute(n.Case.ID)
	if d == nil {
		j.violatef(Sound, n.Case.ID.String(), "a page about a dispute that does not exist")
		return
	}
	turn := n.Case.Obligation.Turn
	if d.judged.paged == nil {
		d.judged.paged = map[sla.Turn]time.Time{}
	}
	j.w.tellf(d.String(), "a person is paged about turn %d: %s", turn&0xffff, n.Why)
	if _, told := d.judged.paged[turn]; !told {
		d.judged.paged[turn] = j.w.now
		if j.w.rng.IntN(2) == 0 {
			j.w.market.person(d, turn)
		}
	}
	if n.Why == sla.WhyNone {
		j.violatef(Explained, d.String(), "a page without a reason")
	}
}

// departs looks at an answer that leaves a process.
func (j *judge) departs(d *dispute, a sla.Answer, sent departure) {
	j.w.tellf(d.String(), "process %d sends %s of attempt %d in turn %d", sent.by, a.Kind, a.Attempt, a.Turn&0xffff)
	mode := sent.rule.Mode.Value
	if mode != sla.ModeLive { // in mode hold nobody says yes in these worlds
		j.violatef(Allowed, d.String(), "%s sent in mode %s", a.Kind, mode)
	}
	if k := j.w.killed; !k.since.IsZero() && k.scope.Covers(marketplace, d.store.id, d.now.Reason) && sent.at.Sub(k.since) > afterKill {
		j.violatef(Allowed, d.String(), "%s sent %s after the kill switch", a.Kind, sent.at.Sub(k.since))
	}
	theirs := sent.at.Add(d.store.skew)
	if turnOf(d.n, d.turn) == a.Turn && j.w.now.Sub(d.moved) > inFlight && theirs.After(d.closes.Add(-guard+inFlight)) {
		j.violatef(Allowed, d.String(), "%s sent %s before the deadline, guard is %s", a.Kind, d.closes.Sub(theirs), guard)
	}
}

// effect looks at an answer that took effect; the log has it already.
func (j *judge) effect(d *dispute, a sla.Answer, _ departure) {
	count := 0
	for _, e := range d.effects {
		if e.turn == a.Turn && (e.kind == a.Kind || e.kind.EndsTurn() && a.Kind.EndsTurn()) {
			count++
		}
	}
	if a.Kind.EndsTurn() {
		j.answered++
	}
	if count > 1 {
		j.twice++
		j.violatef(Once, d.String(), "%s took effect as number %d of turn %d", a.Kind, count, a.Turn&0xffff)
	}
	if a.Kind.Pays() {
		j.spend(d, a)
	}
}

// spend adds up what answers cost, and holds it against the budgets. Around midnight a process with a wrong clock may count for another day.
func (j *judge) spend(d *dispute, a sla.Answer) {
	b, now := j.w.rules.budget, j.w.now
	d.judged.spent += a.Amount.Minor
	if d.judged.spent > b.Case.Minor {
		j.violatef(Within, d.String(), "%d spent on one dispute, %d allowed", d.judged.spent, b.Case.Minor)
	}
	if edge := now.Sub(now.Truncate(24 * time.Hour)); edge > 3*inFlight && edge < 24*time.Hour-3*inFlight {
		day := now.Format(time.DateOnly)
		for scope, most := range map[string]int64{string(d.store.id): b.Store.Minor, "": b.Total.Minor} {
			if j.days[scope+day] += a.Amount.Minor; j.days[scope+day] > most {
				j.violatef(Within, d.String(), "%d spent by %q on %s, %d allowed", j.days[scope+day], scope, day, most)
			}
		}
	}
	j.buyers[d.now.Buyer] = append(j.buyers[d.now.Buyer], spent{at: now, minor: a.Amount.Minor})
	total := int64(0)
	for _, s := range j.buyers[d.now.Buyer] {
		if now.Sub(s.at) < sla.BuyerSpan-inFlight {
			total += s.minor
		}
	}
	if total > b.Buyer.Minor {
		j.violatef(Within, d.String(), "%d spent on one buyer, %d allowed", total, b.Buyer.Minor)
	}
}

// breached notes that a deadline has passed.
func (j *judge) breached(d *dispute) {
	j.breaches++
	turn := turnOf(d.n, d.turn)
	told, ok := d.judged.paged[turn]
	if deadline := j.w.now; ok && told.Before(deadline.Add(-leftToAct)) {
		return
	}
	j.late++
	j.violatef(InTime, d.String(), "the deadline of turn %d passed in silence (paged: %t)", d.turn, ok)
}

// explained looks at a line of the audit.
func (j *judge) explained(line []byte) {
	if j.lines++; j.lines%16 != 0 {
		return
	}
	var l handle.Line
	if err := json.Unmarshal(line, &l); err != nil {
		j.violatef(Explained, "", "a line of the audit that cannot be read: %v", err)
		return
	}
	if l.Event == handle.EventAnswer && (l.Why == "" || l.Why == sla.WhyNone.String() || l.Rules == "" || l.Case == "" || l.Facts.Reason == "") {
		j.violatef(Explained, l.Case, "an answer without its ground, rules or facts: %s", line)
	}
}

// read notes that a feed was read to its end, by a process whose clock is off by skew.
func (j *judge) read(f sla.FeedRecord, skew time.Duration) {
	last := f.LastSuccess.Truncate(time.Millisecond) // as it comes back when the next reading begins
	if !f.LastSuccess.IsZero() && !last.Equal(j.told[f.Store]) {
		began := f.LastSuccess.Add(-skew) // it is known as stale since then, however long it took
		if began.After(j.w.now) {
			began = j.w.now // by a clock that was set back since
		}
		if began.Sub(j.feeds[f.Store]) > seenWithin {
			j.fresh[f.Store] = began
			j.w.after(time.Minute, j.inspect) // before the next reading hides what this one left out
		}
		j.told[f.Store], j.feeds[f.Store] = last, began
		j.w.tellf("", "feed of %s read", f.Store)
	}
}

// violated begins the line of a story in which an invariant is violated.
const violated = "VIOLATION"
