package simulator

import (
	"encoding/json"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"watchkeeper/sla"
)

func whole(o Options) Options {
	o.Disputes, o.Shipments, o.Stores, o.Start = 150, 200, 3, start
	return o
}

func TestTheSameSeedGivesTheSameLogInAnySteps(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]Faults{"behaving": {}, "misbehaving": AllFaults()} {
		day1, hours, events := New(whole(Options{Seed: 9, Faults: faults})), New(whole(Options{Seed: 9, Faults: faults})), New(whole(Options{Seed: 9, Faults: faults}))
		end := start.Add(50 * day)
		day1.Advance(end)
		for at := start; !at.After(end); at = at.Add(7 * time.Hour) {
			hours.Advance(at)
		}
		hours.Advance(end)
		for at := start; !at.IsZero() && !at.After(end); at = events.NextEvent(at) {
			events.Advance(at)
		}
		events.Advance(end)
		if !reflect.DeepEqual(day1.Log(), hours.Log()) || !reflect.DeepEqual(day1.Log(), events.Log()) {
			t.Errorf("%s: the steps changed the month", name)
		}
		if other := New(whole(Options{Seed: 10, Faults: faults})); reflect.DeepEqual(other.Log(), New(whole(Options{Seed: 9, Faults: faults})).Log()) {
			t.Errorf("%s: two seeds gave one month", name)
		}
	}
}

func TestTheLogIsInOrderOfTime(t *testing.T) {
	t.Parallel()
	w := New(whole(Options{Seed: 11}))
	w.Advance(start.Add(60 * day))
	log := w.Log()
	for k := 1; k < len(log); k++ {
		if log[k].At.Before(log[k-1].At) {
			t.Fatalf("entry %d is older than the one before: %+v", k, log[k])
		}
	}
}

func TestNobodyOnWatchBreachesEveryObligationThatIsNotSuperseded(t *testing.T) {
	t.Parallel()
	w := New(whole(Options{Seed: 12}))
	w.Advance(start.Add(90 * day))
	r := w.Report()
	if r.Disputes != 150 || r.AnsweredInTime != 0 || r.ByPerson != 0 || r.Open != 0 || r.Breached == 0 {
		t.Errorf("got %+v", r.Tally)
	}
	if r.Breached+r.Superseded != r.Obligations {
		t.Errorf("%d breached and %d superseded are not %d", r.Breached, r.Superseded, r.Obligations)
	}
	if !reflect.DeepEqual(r.CostOfSilence, r.PaidBySilence) || r.CostOfSilence["USD"] == 0 || len(r.CostOfAnswers) != 0 {
		t.Errorf("silence cost %v, %v of it paid, answers cost %v", r.CostOfSilence, r.PaidBySilence, r.CostOfAnswers)
	}
	if r.Shipments != 200 || r.Platforms[Track17].Shipments != 200 || r.Platforms[AliExpress].Disputes != 150 {
		t.Errorf("by platform: %+v", r.Platforms)
	}
}

func TestEveryKindOfTroubleIsPlanted(t *testing.T) {
	t.Parallel()
	o := whole(Options{Seed: 13})
	o.Shipments = 900
	w := New(o)
	w.Advance(start.Add(60 * day))
	r := w.Report()
	for _, p := range plans[1:] {
		if r.Anomalies[p.kind.String()] == 0 {
			t.Errorf("no %s among %d parcels", p.kind, r.Shipments)
		}
	}
}

func TestReportIsWrittenInLowerSnake(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(New(whole(Options{Seed: 14})).Report())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"answered_in_time", "breached", "double_effects", "withdrawn", "arbitrated", "by_person", "paid_by_silence",
		"cost_of_silence", "cost_of_answers", "shipments", "anomalies", "platforms"} {
		if !strings.Contains(string(b), `"`+name+`"`) {
			t.Errorf("no %q in %s", name, b)
		}
	}
}

func TestJudgeCountsPlantedDoublesAndBreaches(t *testing.T) {
	t.Parallel()
	usd := func(n int64) sla.Money { return sla.Money{Minor: n, Currency: "USD"} }
	e := func(k Kind, who Actor, turn int, amount int64, detail string) Entry {
		return Entry{Platform: AliExpress, Store: "AE01", Subject: "1", Order: "2", Kind: k, Actor: who, Turn: turn, Amount: usd(amount), Detail: detail}
	}
	opened := []Entry{e(KindOpened, ActorBuyer, 1, 100, ""), e(KindOwed, ActorPlatform, 1, 100, "answer")}
	for name, c := range map[string]struct {
		log                                 []Entry
		answered, doubles, breached, person int
		silence                             int64
	}{
		"one answer":               {[]Entry{e(KindProposed, ActorSeller, 1, 30, "")}, 1, 0, 0, 0, 100},
		"two proposals":            {[]Entry{e(KindProposed, ActorSeller, 1, 30, ""), e(KindProposed, ActorSeller, 1, 30, "")}, 1, 1, 0, 0, 100},
		"proposal, then agreement": {[]Entry{e(KindProposed, ActorSeller, 1, 30, ""), e(KindAgreed, ActorSeller, 1, 100, "")}, 1, 1, 0, 0, 100},
		"agreed twice":             {[]Entry{e(KindAgreed, ActorSeller, 1, 100, ""), e(KindAgreed, ActorSeller, 1, 0, agreedAgain)}, 1, 1, 0, 0, 100},
		"a move between": {[]Entry{e(KindProposed, ActorSeller, 1, 30, ""), e(KindDeclined, ActorBuyer, 2, 0, ""), e(KindOwed, ActorPlatform, 2, 100, ""),
			e(KindProposed, ActorSeller, 2, 50, "")}, 2, 0, 0, 0, 100},
		"an edit between": {[]Entry{e(KindEdited, ActorBuyer, 2, 80, ""), e(KindOwed, ActorPlatform, 2, 80, ""), e(KindProposed, ActorSeller, 2, 50, "")}, 1, 0, 0, 0, 80},
		"breach":          {[]Entry{e(KindBreached, ActorTimeout, 1, 100, ""), e(KindPaid, ActorTimeout, 1, 100, paidBySilence)}, 0, 0, 1, 0, 100},
		"a person":        {[]Entry{e(KindProposed, ActorPerson, 1, 30, "")}, 0, 0, 0, 1, 100},
		"two extensions":  {[]Entry{e(KindExtended, ActorSeller, 1, 0, "10"), e(KindExtended, ActorSeller, 1, 0, "10")}, 0, 1, 0, 0, 0},
		"two turns' extensions": {[]Entry{e(KindExtended, ActorSeller, 1, 0, "10"), e(KindEdited, ActorBuyer, 2, 80, ""),
			e(KindExtended, ActorSeller, 2, 0, "10")}, 0, 0, 0, 0, 0},
		"extension beside an answer": {[]Entry{e(KindExtended, ActorSeller, 1, 0, "10"), e(KindProposed, ActorSeller, 1, 0, "")}, 1, 0, 0, 0, 100},
	} {
		r := Judge(append(append([]Entry{}, opened...), c.log...))
		if r.AnsweredInTime != c.answered || r.DoubleEffects != c.doubles || r.Breached != c.breached || r.ByPerson != c.person || r.CostOfSilence["USD"] != c.silence {
			t.Errorf("%s: got %+v", name, r.Tally)
		}
	}
}

func TestThePersonAnswersBeforeTheDeadlineWhenPagedInTime(t *testing.T) {
	t.Parallel()
	for _, before := range []time.Duration{30 * time.Minute, 3 * time.Hour, 2 * day} {
		o := whole(Options{Seed: 15, Person: true, Faults: Faults{MovedDeadline: 0.5}})
		o.Disputes, o.Days = 60, 12
		w := New(o)
		paged := map[string]bool{}
		for at := start; at.Before(start.Add(75 * day)); at = at.Add(5 * time.Minute) {
			w.Advance(at)
			for _, i := range w.issues {
				key := itoa(i.id) + "/" + itoa(int64(i.turn))
				if i.owes != needNothing && !paged[key] && i.deadline.Sub(at) <= before+5*time.Minute {
					paged[key] = true
					w.PageTo(sla.DisputeID{Platform: AliExpress, Store: i.order.store.id, Native: itoa(i.id)}, at)
				}
			}
		}
		r := w.Report()
		if r.Breached != 0 || r.ByPerson == 0 || r.DoubleEffects != 0 || r.CrossedPerson != 0 {
			t.Errorf("paged %s before: %+v", before, r.Tally)
		}
	}
}

func TestWithoutAPersonPagesChangeNothing(t *testing.T) {
	t.Parallel()
	w := New(whole(Options{Seed: 16}))
	for at := start; at.Before(start.Add(30 * day)); at = at.Add(6 * time.Hour) {
		for _, i := range w.issues {
			w.PageTo(sla.DisputeID{Store: i.order.store.id, Native: itoa(i.id)}, at)
		}
	}
	if r := w.Report(); r.ByPerson != 0 || r.Paged == 0 || r.Breached == 0 {
		t.Errorf("got %+v", r.Tally)
	}
}

func TestTheWorldMayBeUsedFromManyGoroutines(t *testing.T) {
	t.Parallel()
	w := New(whole(Options{Seed: 17, Faults: AllFaults()}))
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for at := start; at.Before(start.Add(20 * day)); at = at.Add(time.Duration(n+1) * time.Hour) {
				w.Advance(at)
				w.NextEvent(at)
			}
		})
	}
	all.Wait()
	w.Advance(start.Add(20 * day))
	alone := New(whole(Options{Seed: 17, Faults: AllFaults()}))
	alone.Advance(start.Add(20 * day))
	if !reflect.DeepEqual(alone.Log(), w.Log()) {
		t.Error("the goroutines changed the month")
	}
}
