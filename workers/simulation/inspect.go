package simulation

import (
	"context"
	"time"

	"watchkeeper/sla"
)

// inspect holds the records against the platforms' truth at one moment: I1 and I6 at every hour, I9 once the faults are over.
func (j *judge) inspect() {
	w := j.w
	records := make([]sla.CaseRecord, len(w.market.all)) // by the number of their disputes
	memory, err := w.open()
	if err != nil {
		j.violatef(Sound, "", "the store cannot be opened: %v", err)
		return
	}
	if err := memory.EachCase(context.Background(), func(c sla.CaseRecord) error {
		if d := w.dispute(c.ID); d != nil && d.id() == c.ID {
			records[d.n] = c
		}
		j.armed(c)
		return nil
	}); err != nil {
		j.violatef(Sound, "", "records cannot be read: %v", err)
		return
	}
	for _, s := range w.market.stores {
		listed, left := s.listed(), []func(){}
		for _, d := range listed {
			if missed := j.seen(d, records[d.n]); missed != nil && j.again(d, s) {
				missed()
			} else if missed != nil {
				left = append(left, missed)
			}
			if w.now.Sub(w.calm) > convergeIn {
				j.rests(d, records[d.n])
			}
		}
		if len(left) > leftOut*(1+len(listed)/pageSize) {
			for _, missed := range left {
				missed()
			}
		}
	}
}

// leftOut is how many rows of a page one reading may leave out because their details failed; the next one brings them.
const leftOut = 2

// again tells whether a feed was read more than once since a dispute changed, or was known to be out.
func (j *judge) again(d *dispute, s *seller) bool {
	since := j.fresh[s.id]
	return !since.After(d.changed) && !since.After(j.w.lost) || j.feeds[s.id].Sub(since) >= seenWithin
}

// armed checks I1 on one record: a case is looked at again when its next stage begins at the latest.
func (j *judge) armed(c sla.CaseRecord) {
	w := j.w
	if !c.Open() {
		return
	}
	if c.Next.IsZero() {
		j.violatef(Armed, c.ID.String(), "an open case has no timer")
		return
	}
	if c.Obligation.Turn == 0 {
		return
	}
	d := w.dispute(c.ID)
	theirs := w.now.Add(d.store.skew)
	for _, s := range sla.Timeline(c.Obligation, w.rules.For(marketplace, c.ID.Store, c.Reason)) {
		if s.At.After(theirs.Add(2 * largestSkew)) { // one that is nearer has passed by the clocks of some
			// Rules that have just changed are obeyed after the processes have started again.
			if ours := s.At.Add(-d.store.skew); c.Next.After(ours.Add(armedLate)) && w.now.Sub(w.ruled) > 10*time.Minute {
				j.violatef(Armed, c.ID.String(), "looked at next at %s, %s begins at %s", c.Next, s.Kind, ours)
			}
			return
		}
	}
}

// seen checks I6 on one dispute: when its feed was read after a change, the record shows it. It gives what tells that it does not.
func (j *judge) seen(d *dispute, c sla.CaseRecord) func() {
	w := j.w
	changed := d.changed
	if changed.IsZero() {
		changed = d.now.Opened.Add(-d.store.skew)
	}
	if w.lost.After(changed) {
		changed = w.lost // what was seen before is forgotten
	}
	if w.now.Sub(changed) < seenWithin || j.feeds[d.store.id].Sub(changed) < seenWithin {
		return nil // not yet, or known as stale: watchkeeper_feed_last_success_timestamp_seconds tells
	}
	read := j.feeds[d.store.id]
	switch {
	case c.ID != d.id():
		return func() {
			j.violatef(Seen, d.String(), "not on record, changed at %s, its feed read at %s", changed, read)
		}
	case c.State != d.now.State || d.now.State == sla.StateSeller && c.Obligation.Turn != d.now.Obligations[0].Turn:
		return func() {
			j.violatef(Seen, d.String(), "on record as %s, is %s since %s, its feed read at %s", c.State, d.now.State, changed, read)
		}
	}
	return nil
}

// rests checks I9: what was due, and is known to be, has been answered, or a person was told.
func (j *judge) rests(d *dispute, c sla.CaseRecord) {
	w := j.w
	if d.now.State != sla.StateSeller {
		return
	}
	rule := w.rules.For(marketplace, d.store.id, d.now.Reason)
	theirs := w.now.Add(d.store.skew)
	due := d.closes.Add(-rule.ActBefore.Value)
	if opened := d.now.Obligations[0].Opened; due.Before(opened) {
		due = opened
	}
	if rule.Mode.Value != sla.ModeLive || theirs.Sub(due) < convergeIn || w.now.Sub(d.moved) < convergeIn {
		return
	}
	if _, told := d.judged.paged[turnOf(d.n, d.turn)]; told {
		return
	}
	j.violatef(Converges, d.String(), "due since %s, neither answered nor told to anybody (record: %+v)", due, c.Case)
}

// ends checks what must hold when all disputes are closed and nothing happens any more: I7 and the end of I9.
func (j *judge) ends() {
	w, ctx := j.w, context.Background()
	memory, err := w.open()
	if err != nil {
		j.violatef(Sound, "", "the store cannot be opened at the end: %v", err)
		return
	}
	for _, d := range w.market.all {
		if d.now.State != sla.StateClosed {
			j.violatef(Converges, d.String(), "still %s at the end", d.now.State)
		}
		attempts, err := memory.Attempts(ctx, d.id())
		if err != nil {
			j.violatef(Sound, d.String(), "attempts cannot be read: %v", err)
		}
		for _, a := range attempts {
			if a.Side == sla.AnswerNone && (a.State == sla.AttemptSent || a.State == sla.AttemptUnknown) {
				j.violatef(Converges, d.String(), "an attempt of turn %d is still %s", a.Turn&0xffff, a.State)
			}
		}
	}
	_ = memory.EachCase(ctx, func(c sla.CaseRecord) error {
		switch {
		case c.Open():
			j.violatef(Converges, c.ID.String(), "still open on record at the end")
		case c.Next.IsZero():
			j.violatef(Reachable, c.ID.String(), "a record without a timer stays for ever")
		}
		return nil
	})
}
