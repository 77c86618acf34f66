package job_test

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"watchkeeper/sla"
	"watchkeeper/workers/job"
)

func ids(stores ...string) []sla.DisputeID {
	out := make([]sla.DisputeID, len(stores))
	for i, s := range stores {
		out[i] = sla.DisputeID{Platform: "aliexpress", Store: sla.StoreID(s), Native: strconv.Itoa(9000000001 + i)}
	}
	return out
}

func many(store string, n int) []sla.DisputeID { return ids(slices.Repeat([]string{store}, n)...) }

// asynq's mux matches by prefix, so that a kind which begins another one would take its jobs.
func TestNoKindIsAPrefixOfAnother(t *testing.T) {
	t.Parallel()
	for _, a := range job.Kinds() {
		for _, b := range job.Kinds() {
			if a != b && strings.HasPrefix(string(b), string(a)) {
				t.Errorf("%s is a prefix of %s", a, b)
			}
		}
	}
}

func TestEveryKindHasAServedQueue(t *testing.T) {
	t.Parallel()
	for _, k := range job.Kinds() {
		if weight := job.Queues()[job.Job{Kind: k}.Queue()]; weight < 1 {
			t.Errorf("%s goes to %q, which nobody serves", k, job.Job{Kind: k}.Queue())
		}
	}
	if q := job.Queues(); q[job.QueueAnswers] <= q[job.QueueCases] || q[job.QueueCases] <= q[job.QueueParcels] {
		t.Errorf("want answers before cases before parcels, got %v", q)
	}
}

// Programs of two versions run side by side in each deploy: equal work must keep its name, its arguments and its place.
func TestJobsAreTheSameInEveryVersion(t *testing.T) {
	t.Parallel()
	for want, j := range map[string]job.Job{
		`case.assess:1yvhwnfb1eldy {"v":1,"t":"5","ids":["AE01/9000000001"]}`:    job.ForCases(job.Assess, ids("AE01"), "5")[0],
		`parcel.look:2mrh7jzgto6b1 {"v":1,"s":"T17","ids":["LX1CN","LX2:3011"]}`: job.ForParcels(job.Look, "T17", []sla.ShipmentRef{{Number: "LX1CN"}, {Number: "LX2", Carrier: "3011"}}, "5")[0],
	} {
		if got := j.ID + " " + string(j.Payload); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

func TestEqualWorkHasAnEqualIDAndOtherWorkAnother(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range []job.Kind{job.Assess, job.Refresh, job.Respond} {
		for _, tag := range []string{"", "1", "2"} {
			for _, what := range [][]sla.DisputeID{ids("AE01"), ids("AE02"), ids("AE01", "AE01")} {
				a, b := job.ForCases(kind, what, tag)[0], job.ForCases(kind, what, tag)[0]
				if a.ID != b.ID {
					t.Errorf("want equal ids, got %s and %s", a.ID, b.ID)
				}
				if seen[a.ID] {
					t.Errorf("%v, %q, %v: id %s is taken", kind, tag, what, a.ID)
				}
				seen[a.ID] = true
			}
		}
	}
}

func TestBatchesHoldEverythingOnceInOrder(t *testing.T) {
	t.Parallel()
	for kind, most := range map[job.Kind]int{job.Assess: job.MaxBatch, job.Refresh: job.MaxBatch, job.Respond: 16} {
		for _, n := range []int{0, 1, most - 1, most, most + 1, 3*most + 2} {
			jobs := job.ForCases(kind, many("AE01", n), "x")
			if want := (n + most - 1) / most; len(jobs) != want {
				t.Errorf("%s of %d: want %d jobs, got %d", kind, n, want, len(jobs))
			}
			var got []string
			for _, j := range jobs {
				a := decode(t, j.Payload)
				got = append(got, a.IDs...)
				if len(a.IDs) > most {
					t.Errorf("%s: want at most %d, got %d", kind, most, len(a.IDs))
				}
			}
			for i, id := range many("AE01", n) {
				if len(got) != n || got[i] != id.String() {
					t.Fatalf("%s of %d: want each once in order, got %v", kind, n, got)
				}
			}
		}
	}
	refs := make([]sla.ShipmentRef, 2*job.MaxBatch+1)
	for i := range refs {
		refs[i].Number = strconv.Itoa(i)
	}
	if jobs := job.ForParcels(job.Look, "T17", refs, "x"); len(jobs) != 3 || len(decode(t, jobs[2].Payload).IDs) != 1 {
		t.Errorf("want three jobs, got %d", len(jobs))
	}
}

func TestJobsThatCallAPlatformAreAboutOneStore(t *testing.T) {
	t.Parallel()
	mixed := ids("AE02", "AE01", "AE02", "AE01", "AE03")
	for _, kind := range []job.Kind{job.Refresh, job.Respond} {
		jobs := job.ForCases(kind, mixed, "x")
		if len(jobs) != 3 {
			t.Fatalf("%s: want a job for each store, got %d", kind, len(jobs))
		}
		for _, j := range jobs {
			for _, id := range decode(t, j.Payload).Disputes() {
				if id.Store != decode(t, j.Payload).Disputes()[0].Store {
					t.Errorf("%s: want one store, got %v", kind, decode(t, j.Payload).IDs)
				}
			}
		}
	}
	if mixed[0].Store != "AE02" || len(job.ForCases(job.Assess, mixed, "x")) != 1 {
		t.Error("want the caller's list untouched, and one job for what needs no platform")
	}
}

func decode(t *testing.T, payload []byte) job.Args {
	t.Helper()
	a, err := job.Decode(payload)
	if err != nil {
		t.Fatalf("decode %s: %v", payload, err)
	}
	return a
}

func TestHostilePayloadsAreRefusedAndNewerOnesAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		payload string
		want    error
	}{
		"nothing":                 {``, job.ErrPayload},
		"null":                    {`null`, job.ErrPayload},
		"not JSON":                {"\x00\xff{", job.ErrPayload},
		"a list":                  {`[]`, job.ErrPayload},
		"two values":              {`{"v":1,"ids":["AE01/1"]}{}`, job.ErrPayload},
		"no version":              {`{"ids":["AE01/1"]}`, job.ErrPayload},
		"version below":           {`{"v":-1,"ids":["AE01/1"]}`, job.ErrPayload},
		"version of a word":       {`{"v":"1","ids":["AE01/1"]}`, job.ErrPayload},
		"version out of range":    {`{"v":99999999999999999999,"ids":["AE01/1"]}`, job.ErrPayload},
		"no ids":                  {`{"v":1}`, job.ErrPayload},
		"ids of numbers":          {`{"v":1,"ids":[1]}`, job.ErrPayload},
		"too many ids":            {`{"v":1,"ids":["x"` + strings.Repeat(`,"x"`, job.MaxBatch) + `]}`, job.ErrPayload},
		"deep":                    {strings.Repeat(`[`, 20_000), job.ErrPayload},
		"newer":                   {`{"v":2,"ids":["AE01/1"]}`, job.ErrNewer},
		"newer with new members":  {`{"v":2,"what":{"a":[1]}}`, job.ErrNewer},
		"newer with other shapes": {`{"ids":{"AE01":["1"]},"s":7,"v":3}`, job.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if a, err := job.Decode([]byte(c.payload)); !errors.Is(err, c.want) || a.IDs != nil {
				t.Errorf("want %v, got %+v, %v", c.want, a, err)
			} else if len(err.Error()) > 80 {
				t.Errorf("want an error without the payload, got %q", err)
			}
		})
	}
}

func TestUnreadableIdsOfAReadableJobAreDropped(t *testing.T) {
	t.Parallel()
	a := decode(t, []byte(`{"v":1,"ids":["AE01/1","","/","ae01/1","AE01/a b","AE01/`+strings.Repeat("9", 41)+`","AE02/2"]}`))
	if got := a.Disputes(); len(got) != 2 || got[0].String() != "AE01/1" || got[1].String() != "AE02/2" {
		t.Errorf("want the two readable ones, got %v", got)
	}
}

func TestEveryIdComesBackAsItWasSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		native := rapid.StringMatching(`[!-.0-~]{1,40}`).Draw(t, "native")
		number := rapid.StringMatching(`[A-Z0-9]{1,30}`).Draw(t, "number")
		carrier := rapid.StringMatching(`([A-Za-z0-9]{1,8})?`).Draw(t, "carrier")
		c, err := job.Decode(job.ForCases(job.Assess, []sla.DisputeID{{Store: "AE01", Native: native}}, "")[0].Payload)
		if err != nil || len(c.Disputes()) != 1 || c.Disputes()[0] != (sla.DisputeID{Store: "AE01", Native: native}) {
			t.Fatalf("want %q, got %v (%v)", native, c.Disputes(), err)
		}
		ref := sla.ShipmentRef{Number: number, Carrier: carrier}
		p, err := job.Decode(job.ForParcels(job.Look, "T17", []sla.ShipmentRef{ref}, "")[0].Payload)
		if err != nil || p.Store != "T17" || p.Parcels()[0] != ref {
			t.Fatalf("want %v, got %v (%v)", ref, p.Parcels(), err)
		}
	})
}

func TestBudgetEndsWellBeforeTheQueuesTimeOut(t *testing.T) {
	t.Parallel()
	if job.Timeout-job.Budget < 30_000_000_000 {
		t.Errorf("want half a minute between %v and %v: a handler past its time-out runs beside its own retry", job.Budget, job.Timeout)
	}
}
