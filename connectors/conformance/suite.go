package conformance

import (
	"net/http"
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// A Suite describes one platform to the checks.
type Suite struct {
	// Build makes the connector of one store whose platform is at the URL, normally by calling Platform.New with a map of variables
	// that holds the URL and every one of Secrets. The dependencies are complete.
	Build func(t testing.TB, baseURL string, deps connectors.Deps) connectors.Built

	// Serve answers one request as the platform does when all is well: the list call with a page of l.Rows, in the platform's own
	// paging and wrapping, and whatever else Fetch, Resolve or ResolveShipments asks for (details, tokens).
	Serve func(w http.ResponseWriter, r *http.Request, l List)

	// Row gives the i-th good row of the list (i from 0) as the platform sends it, and the id that connectors.Row.ID must have.
	// Rows are older the smaller i is. It must be able to give ten thousand different ones.
	Row func(i int) (id string, raw []byte)

	// Changed is the i-th row after a change that matters: another status, say. Its id stays.
	Changed func(i int) []byte

	// Volatile is the i-th row with nothing changed but what must not count. Nil when no field of a row is volatile.
	Volatile func(i int) []byte

	// BadRow is an element of the list that is JSON and cannot be a row: it has no id, or one that is no id. Fetch rejects it.
	BadRow []byte

	// Unresolvable is an element that Fetch gives as a row and that decoding then refuses. Nil when there is no such thing.
	Unresolvable []byte

	// Replies are the platform's own ways to say no, as whole replies to the list call.
	Replies []Reply

	// EmptyOK lists replies out of "{}" and "[]" that the platform really sends for an empty list. Others must be Malformed: a reply
	// without its list, taken for an empty one, would end every open case.
	EmptyOK []string

	// Secrets are texts that may never show in an error, a log line or a cursor.
	Secrets []string

	// Effect describes an answer, for platforms that have a responder; nil otherwise.
	Effect *Effect
}

// A List is what the platform's list call has to serve.
type List struct {
	Rows    [][]byte // oldest first; a platform that lists the newest first turns them round
	PerPage int      // rows on a page, whatever the request asks for
}

// A Reply is one way of the platform to say no.
type Reply struct {
	Name   string
	Status int // 0: 200
	Body   string
	Want   connectors.Kind
}

// An Effect is one answer and how to recognise it on the wire.
type Effect struct {
	Dispute sla.Dispute
	Answer  sla.Answer
	// Is reports whether a request can have the effect, as opposed to the reads before it.
	Is func(r *http.Request, body []byte) bool
	// Serve answers every request, the effect included, as the platform does when it accepts the answer.
	Serve func(w http.ResponseWriter, r *http.Request)
}

// Run holds a connector to its contract. Each check is a parallel subtest with a platform of its own.
func Run(t *testing.T, s Suite) {
	t.Helper()
	if s.Build == nil || s.Serve == nil || s.Row == nil || s.Changed == nil || s.BadRow == nil || len(s.Secrets) == 0 {
		t.Fatal("conformance: Build, Serve, Row, Changed, BadRow and Secrets are required")
	}
	checks := map[string]func(*testing.T, Suite){
		"statuses become kinds":                statuses,
		"unreadable replies are malformed":     unreadable,
		"the platform's refusals become kinds": refusals,
		"a bad row is rejected alone":          badRow,
		"duplicate ids survive":                duplicates,
		"a page of ten thousand rows":          largePage,
		"a walk survives restarts":             walkWithRestarts,
		"a later change is found":              laterChange,
		"cancellation is prompt":               cancellation,
		"the platform's clock is told":         skew,
		"fingerprints tell changes":            fingerprints,
		"rows resolve":                         resolving,
	}
	if s.Effect != nil {
		checks["an effect is sent once"] = effectOnce
		checks["a lost effect is unknown"] = effectLost
		checks["a kill switch stops an effect at the last moment"] = effectKilled
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) { t.Parallel(); check(t, s) })
	}
}
