package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/meter"
)

// What the rules of every world have in common.
const (
	window = 5 * 24 * time.Hour
	guard  = 90 * time.Minute
	settle = 10 * time.Minute
)

// A rulebook is what an operator wants, at one version.
type rulebook struct {
	version int
	budget  sla.Budget
	stores  map[sla.StoreID]sla.Rule
}

// For gives the rule of a store.
func (b *rulebook) For(_ sla.Platform, s sla.StoreID, _ sla.Reason) sla.Rule { return b.stores[s] }

// Shipments gives the thresholds of every parcel.
func (b *rulebook) Shipments(sla.StoreID, sla.Lane) sla.ShipmentRule {
	return sla.DefaultShipmentRule()
}

// Sold gives the thresholds of every parcel.
func (b *rulebook) Sold(sla.StoreID, sla.StoreID, sla.Lane) sla.ShipmentRule {
	return sla.DefaultShipmentRule()
}

// Hash names the version.
func (b *rulebook) Hash() string { return fmt.Sprint("v", b.version) }

// wary are the rules with the margins that a process' measurements want, as in workers/fleet.
type wary struct {
	*rulebook
	meter *meter.Meter
}

// For gives the rule of a store.
func (w wary) For(p sla.Platform, s sla.StoreID, r sla.Reason) sla.Rule {
	rule := w.rulebook.For(p, s, r)
	rule.Margin = w.meter.View(p).Margin
	return rule
}

// draw makes the next version of the rules: budgets stay, for they are promises about the whole run.
func (w *World) draw(before *rulebook) *rulebook {
	n := int64(w.o.Cases)
	b := &rulebook{version: 1, stores: map[sla.StoreID]sla.Rule{}, budget: sla.Budget{
		Case: dollars(6000), Buyer: dollars(15_000), Store: dollars(2000 + 250*n), Total: dollars(4000 + 600*n),
		Storm: sla.Rate{Count: 20 + w.o.Cases/10, Per: time.Hour},
	}}
	if before != nil {
		b.version = before.version + 1
	}
	for _, s := range w.market.stores {
		r := sla.DefaultRule()
		r.Window.Value, r.Guard.Value, r.Settle.Value = window, guard, settle
		r.ActBefore.Value = []time.Duration{4 * 24 * time.Hour, 2 * 24 * time.Hour, 8 * time.Hour}[w.rng.IntN(3)]
		r.Recheck.Value = []time.Duration{2 * time.Hour, 6 * time.Hour}[w.rng.IntN(2)]
		r.Mode.Value = sla.ModeLive
		switch w.rng.IntN(12) {
		case 0:
			r.Mode.Value = sla.ModeShadow
		case 1:
			r.Mode.Value = sla.ModeHold
		}
		r.AcceptCap.Value, r.BuyerBudget.Value, r.StoreBudget.Value = b.budget.Case, b.budget.Buyer, b.budget.Store
		r.TotalBudget.Value, r.Storm.Value = b.budget.Total, b.budget.Storm
		b.stores[s.id] = r
	}
	return b
}

// otherRules gives the fleet new rules: its processes end one after the other and start again with them.
func (w *World) otherRules() {
	w.rules, w.ruled = w.draw(w.rules), w.now
	w.tellf("", "rules %s: %s", w.rules.Hash(), w.modes())
	for i := range w.processes {
		w.after(time.Duration(i)*w.between(10*time.Second, time.Minute), func() {
			if p := w.processes[i]; p != nil && !p.dead {
				w.crash(p)
			}
		})
	}
}

func (w *World) modes() string {
	var out strings.Builder
	for _, s := range w.market.stores {
		r := w.rules.stores[s.id]
		_, _ = fmt.Fprintf(&out, "%s %s from %s before; ", s.id, r.Mode.Value, r.ActBefore.Value)
	}
	return out.String()
}

// A kill is a switch that an operator has thrown.
type kill struct {
	scope sla.KillScope
	since time.Time // zero: it is off
}

// killSwitch throws a switch, unless one is on: mostly for up to six hours, and sometimes for so long that answers which are due pass guard under it.
func (w *World) killSwitch() {
	if !w.killed.since.IsZero() {
		return
	}
	w.killed.scope = sla.KillScope{}
	if w.rng.IntN(2) == 0 {
		w.killed.scope.Store = w.market.stores[w.rng.IntN(len(w.market.stores))].id
	}
	lasts := w.between(10*time.Minute, 6*time.Hour)
	if w.rng.IntN(4) == 0 {
		lasts = w.between(6*time.Hour, 30*time.Hour)
	}
	w.throw(true)
	if since := w.killed.since; !since.IsZero() {
		w.after(lasts, func() {
			if w.killed.since.Equal(since) {
				w.throw(false)
			}
		})
	}
}

// throw says an operator's word on the scope of the world's switch; the operator sees whether it was heard.
func (w *World) throw(on bool) {
	memory, err := w.open()
	if err == nil {
		err = memory.SetKill(context.Background(), w.killed.scope, on, "simulated", w.now)
	}
	if err != nil {
		w.judge.violatef(Sound, "", "the operator's word was not heard: %v", err)
		return
	}
	w.tellf("", "kill switch over %q: %t", w.killed.scope.Store, on)
	if w.killed.since = (time.Time{}); on {
		w.killed.since = w.now
		w.after(2*loopEvery, w.lookAgain(w.now))
	}
}

// lookAgain is what an operator does who has thrown a switch: a Redis that lost its memory before any process heard of the switch has lost it too.
// Later the processes know it, and bring it back.
func (w *World) lookAgain(thrown time.Time) func() {
	return func() {
		if !w.killed.since.Equal(thrown) {
			return
		}
		var there []sla.KillSwitch
		memory, err := w.open()
		if err == nil {
			there, err = memory.Kills(context.Background())
		}
		switch {
		case err != nil:
			w.judge.violatef(Sound, "", "the operator could not look: %v", err)
		case !slices.ContainsFunc(there, func(k sla.KillSwitch) bool { return k.KillScope == w.killed.scope }):
			w.tellf("", "the kill switch was lost")
			w.throw(true)
		}
	}
}
