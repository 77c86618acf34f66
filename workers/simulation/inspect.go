package simulation

import (
	"context"
	"time"

	"watchkeeper/sla"
)

// inspect holds the records against the platforms' truth at one moment: I1 and I6 at every hour, I9 once the faults are over.
func (j *judge) inspect() {
	w := j.w
	records := map[sla.DisputeID]sla.CaseRecord{}
	memory, err := w.open()
	if err != nil {
		j.violatef(Sound, "", "the store cannot be opened: %v", err)
		return
	}
	if err := memory.EachCase(context.Background(), func(c sla.CaseRecord) error {
		records[c.ID] = c
		j.armed(c)
		return nil
	}); err != nil {
		j.violatef(Sound, "", "records cannot be read: %v", err)
		return
	}
	for _, s := range w.market.stores {
		for _, d := range s.listed() {
			j.seen(d, records)
			if w.now.Sub(w.calm) > convergeIn {
				j.rests(d, records[d.id()])
			}
		}
	}
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

// seen checks I6 on one dispute: when its feed was read after a change, the record shows it.
func (j *judge) seen(d *dispute, records map[sla.DisputeID]sla.CaseRecord) {
	w := j.w
	changed := d.changed
	if changed.IsZero() {
		changed = d.now.Opened.Add(-d.store.skew)
	}
	if w.lost.After(changed) {
		changed = w.lost // what was seen before is forgotten
	}
	if since := j.fresh[d.store.id]; since.After(changed) {
		changed = since // one reading may leave a row out whose detail failed
	}
	if w.now.Sub(changed) < seenWithin || j.feeds[d.store.id].Sub(changed) < seenWithin {
		return // not yet, or known as stale: watchkeeper_feed_last_success_timestamp_seconds tells
	}
	c, ok := records[d.id()]
	switch {
	case !ok:
		j.violatef(Seen, d.String(), "not on record, changed at %s, its feed read at %s", changed, j.feeds[d.store.id])
	case c.State != d.now.State || d.now.State == sla.StateSeller && c.Obligation.Turn != d.now.Obligations[0].Turn:
		j.violatef(Seen, d.String(), "on record as %s, is %s since %s, its feed read at %s", c.State, d.now.State, changed, j.feeds[d.store.id])
	}
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
