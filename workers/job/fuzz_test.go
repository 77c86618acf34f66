package job_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"watchkeeper/workers/job"
)

// FuzzDecode holds that a payload is refused with an error of a known kind that quotes nothing of it, and that what is taken is about a
// bounded number of items and is made again as the same work.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"v":1,"ids":["AE01/9123"]}`, `{"v":1,"s":"T17","ids":["RB1:3011","LP2"]}`, `{"v":2,"ids":7}`, `{"v":1,"ids":[]}`, `{`, `{"V":1,"IDS":["a"]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		args, err := job.Decode(payload)
		if err != nil {
			if !errors.Is(err, job.ErrNewer) && !errors.Is(err, job.ErrPayload) || len(err.Error()) > 80 {
				t.Fatalf("%v is no short error of a known kind", err)
			}
			return
		}
		if len(args.IDs) == 0 || len(args.IDs) > job.MaxBatch || len(args.Parcels()) != len(args.IDs) {
			t.Fatalf("%d items, %d parcels", len(args.IDs), len(args.Parcels()))
		}
		text, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		again, err := job.Decode(text)
		if err != nil || again.Store != args.Store || !slices.Equal(again.IDs, args.IDs) {
			t.Fatalf("%+v is read again as %+v, %v", args, again, err)
		}
		for _, id := range args.Disputes() {
			if !id.Store.Valid() || id.Native == "" || strings.Contains(id.Native, "/") {
				t.Fatalf("%q is no dispute", id)
			}
		}
		var back []string
		for _, j := range job.ForCases(job.Assess, args.Disputes(), "tag") {
			made, err := job.Decode(j.Payload)
			if err != nil {
				t.Fatalf("a job that we make cannot be read: %v", err)
			}
			back = append(back, made.IDs...)
		}
		for _, id := range args.Disputes() {
			if !slices.Contains(back, id.String()) {
				t.Fatalf("%s got lost on its way", id)
			}
		}
	})
}
