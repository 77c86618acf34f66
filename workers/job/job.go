package job

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"time"

	"watchkeeper/sla"
)

// Kind names a kind of job. asynq's mux matches by prefix, so no kind may be a prefix of another; a test holds that.
type Kind string

// The kinds.
const (
	Assess  Kind = "case.assess"     // decide about up to MaxBatch cases
	Refresh Kind = "case.refresh"    // read up to MaxBatch disputes of the platform again
	Respond Kind = "case.respond"    // answer a few cases of one store, or learn what became of answers
	Look    Kind = "parcel.look"     // read up to MaxBatch parcels of one store again
	Enrol   Kind = "parcel.register" // ask the tracker to follow parcels it does not know yet
)

// Kinds lists every kind, for labels and for the mux.
func Kinds() []Kind { return []Kind{Assess, Refresh, Respond, Look, Enrol} }

// MaxBatch is how many items one job carries: one pipelined read of the store, and one call of 17TRACK.
const MaxBatch = 40

// respondBatch is how many answers of one store one job carries: enough to spread the queue's cost, few enough for the budget.
const respondBatch = 16

// schema is the version of the arguments. A worker that meets a newer one leaves the job to a newer worker.
const schema = 1

// The queues and their weights. Weighted and not strict: with strict priority on a cluster, the loss of the first queue's shard stops
// the others too. Answers weigh most because they carry deadlines.
const (
	QueueAnswers = "answers"
	QueueCases   = "cases"
	QueueParcels = "parcels"
)

// Queues gives the weights.
func Queues() map[string]int {
	return map[string]int{QueueAnswers: 6, QueueCases: 3, QueueParcels: 1}
}

// queueOf is the one table from kind to queue.
var queueOf = map[Kind]string{Assess: QueueCases, Refresh: QueueCases, Respond: QueueAnswers, Look: QueueParcels, Enrol: QueueParcels}

// A Job is one entry for the queue.
type Job struct {
	Kind    Kind
	ID      string // the same work asked for twice has the same id
	Payload []byte
	// Parents are the spans that asked for the work, by the case as in Args.IDs, each in the form of the W3C's traceparent; one under an empty name
	// asked for all of it. Nobody needs them but who looks at traces: a job may lose them.
	Parents map[string]string
}

// Queue is where the job goes.
func (j Job) Queue() string { return queueOf[j.Kind] }

// Args are the arguments of every kind.
type Args struct {
	V     int      `json:"v"`
	Store string   `json:"s,omitempty"` // of Look and Enrol
	Tag   string   `json:"t,omitempty"` // of Assess: the occasion on which it was asked for, so that what it asks for is new work, too
	IDs   []string `json:"ids"`         // disputes as STORE/ID, parcels as NUMBER or NUMBER:CARRIER
}

// ErrNewer means that the job was written by a newer program.
var ErrNewer = errors.New("job of a newer version")

// ErrPayload means that the job cannot be read at all.
var ErrPayload = errors.New("unreadable job")

// Decode reads a payload.
func Decode(payload []byte) (Args, error) {
	var a Args
	err := json.Unmarshal(payload, &a)
	if a.V > schema { // read also where a newer program has changed the other members
		return Args{}, fmt.Errorf("%w: %d", ErrNewer, a.V)
	}
	if err != nil {
		return Args{}, fmt.Errorf("%w: %d bytes", ErrPayload, len(payload))
	}
	if a.V < 1 || len(a.IDs) == 0 || len(a.IDs) > MaxBatch {
		return Args{}, fmt.Errorf("%w: version %d, %d items", ErrPayload, a.V, len(a.IDs))
	}
	return a, nil
}

// ForCases makes jobs of a kind about disputes, in batches. Jobs that call a platform are about one store each, so that a slow one does
// not hold up the others. The tag tells apart the occasions on which the same cases are asked for: a version, or the time of a claim;
// equal work under an equal tag has an equal id.
func ForCases(kind Kind, ids []sla.DisputeID, tag string) []Job {
	size := MaxBatch
	if kind == Respond {
		size = respondBatch
	}
	if kind != Assess {
		ids = slices.Clone(ids)
		slices.SortStableFunc(ids, func(a, b sla.DisputeID) int { return cmp.Compare(a.Store, b.Store) })
	}
	var out []Job
	for len(ids) > 0 {
		n := 1
		for n < min(size, len(ids)) && (kind == Assess || ids[n].Store == ids[0].Store) {
			n++
		}
		names := make([]string, n)
		for i, id := range ids[:n] {
			names[i] = id.String()
		}
		args := Args{V: schema, IDs: names}
		if kind == Assess {
			args.Tag = tag
		}
		out = append(out, newJob(kind, args, tag))
		ids = ids[n:]
	}
	return out
}

// ForParcels makes jobs of a kind about parcels of one store, in batches.
func ForParcels(kind Kind, store sla.StoreID, refs []sla.ShipmentRef, tag string) []Job {
	out := make([]Job, 0, len(refs)/MaxBatch+1)
	for len(refs) > 0 {
		n := min(MaxBatch, len(refs))
		names := make([]string, n)
		for i, r := range refs[:n] {
			names[i] = r.Key()
		}
		out = append(out, newJob(kind, Args{V: schema, Store: string(store), IDs: names}, tag))
		refs = refs[n:]
	}
	return out
}

func newJob(kind Kind, a Args, tag string) Job {
	payload, err := json.Marshal(a)
	if err != nil {
		panic(err) // strings and ints always marshal
	}
	h := fnv.New64a()
	_, _ = h.Write(payload)
	_, _ = h.Write([]byte(tag))
	return Job{Kind: kind, Payload: payload, ID: string(kind) + ":" + strconv.FormatUint(h.Sum64(), 36)}
}

// Disputes reads the ids of a case job; those that cannot be read are dropped, as the sweep finds every case again.
func (a Args) Disputes() []sla.DisputeID {
	out := make([]sla.DisputeID, 0, len(a.IDs))
	for _, s := range a.IDs {
		if id, err := sla.ParseDisputeID(s); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// Parcels reads the references of a parcel job.
func (a Args) Parcels() []sla.ShipmentRef {
	out := make([]sla.ShipmentRef, len(a.IDs))
	for i, s := range a.IDs {
		out[i] = sla.ParseShipmentKey(s)
	}
	return out
}

// Timings of jobs. A handler's own budget ends well before asynq's time-out: a handler that outlives it runs on beside its own retry.
const (
	Budget  = 25 * time.Second
	Timeout = 60 * time.Second
)
