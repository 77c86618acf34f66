package simulator

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const page = `{"current_page":1,"page_size":50}`

func TestThrottlingHasEachPlatformsOwnWords(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 30, Disputes: 5, Shipments: 5, Faults: Faults{Throttle: 1}})
	if out := b.call(list, map[string]string{"query_dto": page}); code(out) != "ApiCallLimit" {
		t.Errorf("aliexpress: %v", out)
	}
	if _, status := b.track("getquota", "{}"); status != http.StatusTooManyRequests {
		t.Errorf("17track: %d", status)
	}
}

func TestServerErrorsComeBeforeAndAfterTheEffect(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 31, Disputes: 60, Faults: Faults{ServerError: 1}})
	b.to(start.Add(time.Hour))
	tried := 0
	for at := start; at.Before(start.Add(20 * day)); at = at.Add(12 * time.Hour) {
		b.to(at)
		for _, i := range b.w.issues {
			if i.owes != needAnswer || i.goods || i.turn != 1 {
				continue
			}
			tried++
			if out := b.save(i, "0.50", nil); accepts(out) {
				t.Fatalf("a server error was no error: %v", out)
			}
		}
	}
	done := b.w.Report().AnsweredInTime
	if done == 0 || done == tried {
		t.Errorf("want some effects of %d failed writes, got %d", tried, done)
	}
}

func TestALostReplyHasItsEffect(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 32, Disputes: 60, Faults: Faults{LostReply: 1}})
	i := b.quiet(refundOnly)
	if out, err := b.try("aliexpress.issue.solution.save", saving(i, "1.00", nil)); err == nil {
		t.Fatalf("the reply arrived: %v", out)
	}
	if got := len(arr(b.detail(i)["seller_solution_list"])); got != 1 {
		t.Errorf("want one proposal, got %d", got)
	}
}

func TestListsRepeatLoseAndBreakRowsOnRequest(t *testing.T) {
	t.Parallel()
	rows := func(f Faults, page string) []any {
		b := newBench(t, Options{Seed: 33, Disputes: 60, Faults: f})
		b.to(start.Add(20 * day))
		out := b.call(list, map[string]string{"query_dto": `{"current_page":` + page + `,"page_size":10}`})
		return arr(out["data_list"])
	}
	if got := len(rows(Faults{DuplicateRows: 1}, "1")); got != 11 {
		t.Errorf("duplicate: want 11 rows, got %d", got)
	}
	if got := len(rows(Faults{ShiftedPages: 1}, "2")); got != 9 {
		t.Errorf("shifted: want 9 rows, got %d", got)
	}
	broken := rows(Faults{MalformedRow: 1}, "1")
	if _, ok := broken[len(broken)-1].(object)["issue_id"].(object); !ok || len(broken) != 11 {
		t.Errorf("malformed: got %v", broken[len(broken)-1])
	}
}

func TestMovedDeadlinesGoBothWaysAndAreKept(t *testing.T) {
	t.Parallel()
	w := New(Options{Seed: 34, Start: start, Disputes: 120, Faults: Faults{MovedDeadline: 1}})
	w.Advance(start.Add(60 * day))
	moved, sooner, latest := map[string]time.Time{}, 0, 0
	for _, e := range w.Log() {
		switch e.Kind {
		case KindMoved:
			moved[e.Subject] = e.Deadline
		case KindBreached:
			if until, ok := moved[e.Subject]; ok && e.Turn == 1 && !e.At.Equal(until) {
				t.Errorf("%s: moved to %s, fell at %s", e.Subject, until, e.At)
			}
		}
	}
	for _, i := range w.issues {
		if until, ok := moved[itoa(i.id)]; ok && until.Before(i.openAt.Add(answerWindow)) {
			sooner++
		} else if ok {
			latest++
		}
	}
	if sooner == 0 || latest == 0 {
		t.Errorf("want both ways, got %d earlier and %d later", sooner, latest)
	}
}

func TestTokensExpireEarlyOnRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 35, Disputes: 5, Faults: Faults{ExpiredToken: 1}})
	if out := b.call(list, map[string]string{"query_dto": page}); code(out) != "IllegalAccessToken" {
		t.Errorf("got %v", out)
	}
}

func TestEachPlatformIsDarkOnceAndForThatLong(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 36, Disputes: 5, Faults: Faults{DarkFor: 5 * time.Hour}})
	refused, runs, was := 0, 0, false
	for at := start; at.Before(start.Add(30 * day)); at = at.Add(time.Hour) {
		b.to(at)
		_, err := b.try(list, map[string]string{"query_dto": page})
		if err != nil {
			refused++
		}
		if err != nil && !was {
			runs++
		}
		was = err != nil
	}
	if refused != 5 || runs != 1 {
		t.Errorf("want one dark period of 5 hours, got %d of %d", runs, refused)
	}
}

func TestAStaleReadShowsOnlyTheBoundedPast(t *testing.T) {
	t.Parallel()
	const bound = 2 * time.Minute
	b := newBench(t, Options{Seed: 37, Disputes: 60, Faults: Faults{StaleRead: bound}})
	i := b.quiet(refundOnly)
	b.to(b.clock().Add(time.Hour))
	b.save(i, "1.00", nil)
	sent, old := b.clock(), 0
	for k := range 200 {
		b.to(sent.Add(time.Duration(k) * 2 * time.Second))
		if len(arr(b.detail(i)["seller_solution_list"])) == 0 {
			old++
			if b.clock().Sub(sent) > bound {
				t.Fatalf("a read %s later did not show the proposal", b.clock().Sub(sent))
			}
		}
	}
	if old == 0 {
		t.Error("no read was stale")
	}
}

func TestFaultsOfARequestDoNotDependOnOthers(t *testing.T) {
	t.Parallel()
	ask := func(between int) (codes []any) {
		b := newBench(t, Options{Seed: 38, Disputes: 10, Faults: Faults{Throttle: 0.5}})
		for range 20 {
			codes = append(codes, code(b.call(list, map[string]string{"query_dto": page})))
			for range between {
				b.call(list, map[string]string{"query_dto": `{"current_page":2,"page_size":50}`})
			}
		}
		return codes
	}
	alone, crowded := ask(0), ask(2)
	for k := range alone {
		if alone[k] != crowded[k] {
			t.Fatalf("request %d: %v alone, %v among others", k, alone[k], crowded[k])
		}
	}
}

func TestInjectedVerdictsHappenBeforeOrAfterTheEffect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		phase   Phase
		verdict Verdict
		effects int
	}{
		"dropped before": {Before, Drop, 0}, "dropped after": {AfterEffect, Drop, 1},
		"500 before": {Before, Fail500, 0}, "500 after": {AfterEffect, Fail500, 1},
	} {
		b := newBench(t, Options{Seed: 39, Disputes: 60})
		i := b.quiet(refundOnly)
		var asked atomic.Int32
		b.w.Inject(func(r *http.Request, p Phase) Verdict {
			if p != c.phase || r.Form.Get("method") != "aliexpress.issue.solution.save" {
				return Proceed
			}
			asked.Add(1)
			return c.verdict
		})
		if out, err := b.try("aliexpress.issue.solution.save", saving(i, "1.00", nil)); err == nil && accepts(out) {
			t.Errorf("%s: accepted", name)
		}
		b.w.Inject(nil)
		if got := len(b.entries(i, KindProposed)); got != c.effects || asked.Load() != 1 {
			t.Errorf("%s: want %d effects, got %d (asked %d times)", name, c.effects, got, asked.Load())
		}
	}
}

func TestAHangingWriteArrivesLateWhenReleased(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 40, Disputes: 60})
	i := b.quiet(refundOnly)
	hanging := make(chan struct{}, 1)
	b.w.Inject(func(_ *http.Request, p Phase) Verdict {
		if p == AfterEffect {
			return Proceed
		}
		hanging <- struct{}{}
		return Hang
	})
	reply := make(chan object, 1)
	params := saving(i, "1.00", nil)
	go func() {
		out, _ := b.try("aliexpress.issue.solution.save", params)
		reply <- out
	}()
	<-hanging
	if got := len(b.entries(i, KindProposed)); got != 0 {
		t.Errorf("it had its effect while hanging: %d", got)
	}
	b.w.Inject(nil)
	b.w.Release()
	if out := <-reply; !accepts(out) || len(b.entries(i, KindProposed)) != 1 {
		t.Errorf("after the release: %v", out)
	}
}

func TestAMisbehavingWorldServesManyCallersAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, Options{Seed: 41, Disputes: 60, Shipments: 60, Faults: AllFaults(), Person: true})
	b.to(start.Add(2 * day))
	var all sync.WaitGroup
	var answered atomic.Int32
	for n := range 4 {
		all.Go(func() {
			for k := range 40 {
				b.to(start.Add(2*day + time.Duration(k)*20*time.Minute))
				if out, err := b.try(list, map[string]string{"query_dto": `{"current_page":` + itoa(int64(n+1)) + `,"page_size":10}`}); err == nil && out != nil {
					answered.Add(1)
				}
				b.w.Report()
				b.w.NextEvent(b.clock())
			}
		})
	}
	all.Wait()
	if answered.Load() < 100 {
		t.Errorf("most of 160 calls should be answered, got %d", answered.Load())
	}
}
