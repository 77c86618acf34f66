package aliexpress

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors"
	"watchkeeper/connectors/conformance"
	"watchkeeper/connectors/simulator"
	"watchkeeper/sla"
)

// month is the simulator's month as one store's connector sees it. The simulator was written from the documents by others, so that
// the two can disagree.
type month struct {
	t     *testing.T
	world *simulator.World
	clock *conformance.Clock
	s     *Seller
}

func newMonth(t *testing.T, faults simulator.Faults) *month {
	t.Helper()
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	m := &month{t: t, clock: conformance.NewClock(begin)}
	m.world = simulator.New(simulator.Options{Seed: 7, Disputes: 120, Stores: 1, Start: begin, Now: m.clock.Now, Faults: faults})
	if err := m.world.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.world.Close)
	env := map[string]string{"RETURN_ADDRESS_ID": "700001"}
	for name, v := range m.world.Env() {
		if name, ok := strings.CutPrefix(name, "WK_STORE__AE01__"); ok && name != "PLATFORM" {
			env[name] = v
		}
	}
	b, err := Platform.New(t.Context(), envconfig.MapLookuper(env), connectors.Deps{
		Store: "AE01", Now: m.clock.Now, Limiter: conformance.Limiter{}, Tokens: &conformance.Vault{},
	})
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if m.s, ok = b.Connector.(*Seller); !ok {
		t.Fatalf("want a seller, got %T", b.Connector)
	}
	return m
}

func (m *month) pass(d time.Duration) {
	m.clock.Advance(d)
	m.world.Advance(m.clock.Now())
}

// open reads every dispute of the snapshot.
func (m *month) open() []sla.Dispute {
	m.t.Helper()
	var out []sla.Dispute
	at := connectors.Cursor{}
	for more := true; more; {
		page, err := m.s.Fetch(m.t.Context(), at)
		if err != nil || len(page.Rejects) > 0 {
			m.t.Fatalf("want a page, got %d rejects (%v)", len(page.Rejects), err)
		}
		for _, row := range page.Rows {
			d, err := m.s.Resolve(m.t.Context(), row)
			if err != nil {
				m.t.Fatal(err)
			}
			if text := fmt.Sprintf("%+v", d); strings.Contains(text, "CANARY") || strings.Contains(text, "xyz") {
				m.t.Errorf("want no word of the buyer's, got %s", text)
			}
			out = append(out, d)
		}
		at, more = page.Next, page.More
	}
	return out
}

// TestMonthWithTheSimulator answers every turn once as soon as it is seen, and asks after each answer what became of it.
func TestMonthWithTheSimulator(t *testing.T) {
	t.Parallel()
	m := newMonth(t, simulator.Faults{})
	answered := map[string]sla.AnswerKind{}
	for range 30 * 4 {
		m.pass(6 * time.Hour)
		for _, d := range m.open() {
			for _, o := range d.Obligations {
				m.answer(d, o, answered)
			}
		}
	}
	kinds := map[sla.AnswerKind]int{}
	for _, k := range answered {
		kinds[k]++
	}
	for _, k := range []sla.AnswerKind{sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse, sla.AnswerNone} {
		if kinds[k] == 0 {
			t.Errorf("want some turns that end in %v, got %v", k, kinds)
		}
	}
	m.judge()
}

func (m *month) answer(d sla.Dispute, o sla.Obligation, answered map[string]sla.AnswerKind) {
	m.t.Helper()
	key := d.ID.Native + "/" + o.Turn.String()
	if kind, again := answered[key]; again {
		if kind != sla.AnswerNone {
			m.t.Errorf("%s: want a turn that was answered to be over", key)
		}
		return
	}
	if left := o.Deadline.Sub(m.clock.Now()); left <= 0 {
		m.t.Errorf("%s: want time left, got %v", key, left)
	}
	a := sla.Answer{Turn: o.Turn, Proposal: d.Proposal, Text: "We are sorry.", Attempt: 1}
	switch {
	case o.Kinds.Has(sla.AnswerOffer) && d.Offers == 0:
		a.Kind, a.Amount = sla.AnswerOffer, d.Claimed.Share(3000)
	case o.Kinds.Has(sla.AnswerRefuse) && d.Offers < 2:
		a.Kind, a.Amount = sla.AnswerRefuse, sla.Money{Currency: d.Cap.Currency}
	case o.Kinds.Has(sla.AnswerAccept):
		a.Kind, a.Amount = sla.AnswerAccept, d.Claimed
	}
	if answered[key] = a.Kind; a.Kind == sla.AnswerNone {
		return
	}
	if before, err := m.s.Confirm(m.t.Context(), d, a); err != nil || before != connectors.OutcomeAbsent {
		m.t.Errorf("%s: want %v absent before it is sent, got %v (%v)", key, a.Kind, before, err)
	}
	if _, err := m.s.Respond(m.t.Context(), d, a); err != nil {
		m.t.Errorf("%s: want %v taken, got %v", key, a.Kind, err)
	}
	if after, err := m.s.Confirm(m.t.Context(), d, a); err != nil || after != connectors.OutcomePresent {
		m.t.Errorf("%s: want %v present, got %v (%v)", key, a.Kind, after, err)
	}
}

// judge reads the platform's own log: nothing that the API could have answered may have fallen in silence, and nothing was refused.
func (m *month) judge() {
	m.t.Helper()
	for _, e := range m.world.Log() {
		machine := e.Detail == "answer" || e.Detail == "return_address"
		if e.Kind == simulator.KindBreached && machine || e.Kind == simulator.KindRefused {
			m.t.Errorf("want no %v of %q, got one for %s at %v", e.Kind, e.Detail, e.Subject, e.At)
		}
	}
}

// patient makes a call until the platform lets it through.
func patient(t *testing.T, call func() error) error {
	t.Helper()
	for range 50 {
		switch err := call(); connectors.KindOf(err) {
		case connectors.Throttled, connectors.Unavailable:
			continue
		default:
			return err
		}
	}
	return errors.New("the platform never lets us through")
}

// TestNoTurnIsAnsweredTwiceUnderFaults sends one answer for each turn that it ever sees, through stale reads, lost replies and dying tokens.
// A turn of ours that changed by itself would show as two answers in one turn of the platform's.
func TestNoTurnIsAnsweredTwiceUnderFaults(t *testing.T) {
	t.Parallel()
	m := newMonth(t, simulator.Faults{
		Throttle: 0.02, ServerError: 0.02, LostReply: 0.1, DuplicateRows: 0.05, ShiftedPages: 0.05, MalformedRow: 0.03, MovedDeadline: 0.15, ExpiredToken: 0.01,
		StaleRead: 20 * time.Minute,
	})
	seen := map[sla.Turn]bool{}
	for n := range 30 * 2 * 3 {
		m.pass(5 * time.Minute) // soon enough after an answer for a stale read to hide it
		if n%3 == 0 {
			m.pass(12*time.Hour - 15*time.Minute)
		}
		for _, d := range m.patientlyOpen() {
			for _, o := range d.Obligations {
				if !seen[o.Turn] {
					seen[o.Turn] = m.tryOnce(d, o)
				}
			}
		}
	}
	answers := map[string]int{}
	for _, e := range m.world.Log() {
		if e.Actor == simulator.ActorSeller && (e.Kind == simulator.KindProposed || e.Kind == simulator.KindAgreed) {
			answers[fmt.Sprint(e.Subject, " turn ", e.Turn)]++
		}
	}
	if len(answers) < 50 {
		t.Errorf("want a month with answers, got %d", len(answers))
	}
	for turn, n := range answers {
		if n > 1 {
			t.Errorf("%s: want one answer, got %d", turn, n)
		}
	}
}

// patientlyOpen reads what is open, and leaves out what cannot be read.
func (m *month) patientlyOpen() []sla.Dispute {
	m.t.Helper()
	var out []sla.Dispute
	at := connectors.Cursor{}
	for more := true; more; {
		var page connectors.Page
		err := patient(m.t, func() (err error) {
			page, err = m.s.Fetch(m.t.Context(), at)
			return err
		})
		if err != nil {
			m.t.Fatal(err)
		}
		for _, row := range page.Rows {
			err := patient(m.t, func() error {
				d, err := m.s.Resolve(m.t.Context(), row)
				if err == nil {
					out = append(out, d)
				}
				return err
			})
			if kind := connectors.KindOf(err); err != nil && kind != connectors.NotFound {
				m.t.Fatal(err)
			}
		}
		at, more = page.Next, page.More
	}
	return out
}

// tryOnce answers a turn; false when it surely was not answered.
func (m *month) tryOnce(d sla.Dispute, o sla.Obligation) bool {
	m.t.Helper()
	a := sla.Answer{Turn: o.Turn, Proposal: d.Proposal, Text: "We are sorry.", Attempt: 1}
	switch {
	case o.Kinds.Has(sla.AnswerRefuse) && d.Offers < 2:
		a.Kind, a.Amount = sla.AnswerRefuse, sla.Money{Currency: d.Cap.Currency}
	case o.Kinds.Has(sla.AnswerAccept):
		a.Kind, a.Amount = sla.AnswerAccept, d.Claimed
	default:
		return true
	}
	err := patient(m.t, func() error {
		_, err := m.s.Respond(m.t.Context(), d, a)
		return err
	})
	return err == nil || connectors.KindOf(err) == connectors.OutcomeUnknown
}
