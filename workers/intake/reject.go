package intake

import (
	"context"
	"regexp"

	"github.com/cespare/xxhash/v2"
	"go.uber.org/zap"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// reject keeps what could not be read for people, once for each version of its bytes: a broken row comes back with every poll. It
// answers how many there were. A failure to keep them is logged and not returned: the rest of the page must not wait for it.
func (in *Intake) reject(ctx context.Context, src *connectors.Source, rejects []connectors.Reject) int {
	var fresh []sla.Rejected
	var hashes []uint64
	for _, r := range rejects {
		h := xxhash.Sum64(r.Raw) ^ xxhash.Sum64String(string(src.Store)+r.ID)
		if _, before := in.rejects.first(h, in.now()); before {
			continue
		}
		hashes = append(hashes, h)
		raw := withoutPeople(r.Raw)
		if len(raw) > connectors.MaxRejectBytes {
			raw = raw[:connectors.MaxRejectBytes]
		}
		fresh = append(fresh, sla.Rejected{Store: src.Store, Feed: string(src.Platform), ID: r.ID, Raw: raw, Reason: r.Err.Error()})
		in.log.Warn("record rejected", zap.String("store", string(src.Store)), zap.String("id", r.ID), zap.Int("bytes", len(r.Raw)), zap.Error(r.Err))
	}
	if len(fresh) > 0 {
		if err := in.store.Reject(ctx, fresh); err != nil {
			in.log.Error("rejects not kept", zap.String("store", string(src.Store)), zap.Int("records", len(fresh)), zap.Error(err))
			in.rejects.forget(hashes)
		}
	}
	return len(rejects)
}

// unreadable is a listed dispute that nobody here can read, as a case for a person: it is open, something may be owed, and its deadline
// must not pass in silence. It is recorded without a fingerprint, so that every poll tries to read it again.
func (in *Intake) unreadable(src *connectors.Source, f found) (observed, bool) {
	id, err := sla.ParseDisputeID(string(src.Store) + "/" + f.row.ID)
	if f.prev != nil || connectors.KindOf(f.err) != connectors.Malformed || err != nil {
		return observed{}, false
	}
	id.Platform = src.Platform
	now := src.PlatformTime(in.now())
	return observed{dispute: sla.Dispute{
		DisputeRef: sla.DisputeRef{ID: id}, Opened: now,
		Obligations: []sla.Obligation{{Turn: sla.Turn(xxhash.Sum64String(id.String()) | 1), Opened: now}},
	}}, true
}

// personal finds the members of a JSON text that name a person, say where he lives, or are his own words.
var personal = regexp.MustCompile(`(?i)("[^"]*(?:login|name|nick|mail|phone|mobile|tel|address|street|city|zip|postal|recipient|consignee|` +
	`signed_by|contact|content|memo|message|description|text)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?`)

// withoutPeople takes out of a record that is kept what the buyer's privacy forbids to keep. What is broken about it stays visible.
func withoutPeople(raw []byte) []byte {
	return personal.ReplaceAll(raw, []byte(`${1}"-"`))
}
