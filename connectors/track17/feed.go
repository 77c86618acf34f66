package track17

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

// The feed is the account's list, read in two parts. The numbers that are still followed are read at each poll. The stopped ones are
// read once a day, after the followed ones and so that a number which stops between the two is met at least once: a parcel without news
// for 30 days is stopped and falls silent otherwise [HC]. Daily is enough, since stopping does not undo itself, and cheap: finished
// parcels stay stopped in the list for about 90 days and outnumber the living.
//
// The pages are Changes: a row that is not listed tells nothing, because most polls leave the stopped ones out. The list has no order
// or time filter that is documented, so that every page is all overlap; fingerprints make it cheap. Pages shift when a number leaves the
// list during a walk, which can hide one row of one poll, and the next poll reads it.
type position struct {
	part        part
	page        int
	stoppedRead int64 // when the stopped part was last read to its end, Unix seconds
}

type part string

const (
	followed part = "tracking"
	stopped  part = "stopped"
)

// stoppedEvery is how often the stopped numbers are read.
const stoppedEvery = 24 * time.Hour

// trackingStatus is the filter of the part [D22].
func (p part) trackingStatus() string {
	if p == stopped {
		return "Stopped"
	}
	return "Tracking"
}

// parsePosition reads a cursor; one that cannot be read starts from the beginning, which only costs calls.
func parsePosition(token string) position {
	start := position{part: followed, page: 1}
	name, rest, _ := strings.Cut(token, "/")
	page, since, _ := strings.Cut(rest, "/")
	n, err := strconv.Atoi(page)
	at, err2 := strconv.ParseInt(since, 10, 64)
	if err != nil || err2 != nil || n < 1 || name != string(followed) && name != string(stopped) {
		return start
	}
	return position{part: part(name), page: n, stoppedRead: at}
}

func (p position) cursor() connectors.Cursor {
	return connectors.Cursor{Token: fmt.Sprintf("%s/%d/%d", p.part, p.page, p.stoppedRead)}
}

// next is where to go on, and whether that is now.
func (p position) next(last bool, now time.Time) (position, bool) {
	switch {
	case !last:
		return position{part: p.part, page: p.page + 1, stoppedRead: p.stoppedRead}, true
	case p.part == stopped:
		return position{part: followed, page: 1, stoppedRead: now.Unix()}, false
	case now.Sub(time.Unix(p.stoppedRead, 0)) >= stoppedEvery:
		return position{part: stopped, page: 1, stoppedRead: p.stoppedRead}, true
	}
	return position{part: followed, page: 1, stoppedRead: p.stoppedRead}, false
}

type listQuery struct {
	Number         string `json:"number,omitempty"`
	TrackingStatus string `json:"tracking_status,omitempty"`
	Page           int    `json:"page_no,omitempty"`
}

type listed struct {
	rows  []transport.RawRow
	pages int64 // how many there are; 0 when not told: then a full page means that there is more
	skew  time.Duration
}

func (t *Tracker) list(ctx context.Context, q listQuery) (listed, error) {
	const op = "gettracklist"
	reply, err := t.post(ctx, op, q)
	if err != nil {
		return listed{}, err
	}
	rows, err := transport.SplitRows(reply.Body, "data", "accepted")
	if err != nil {
		return listed{}, t.unreadable(op, err)
	}
	var info listReply
	if err := decode(reply.Body, &info); err != nil || len(info.Data.Accepted) == 0 {
		return listed{}, t.unreadable(op, errors.New("the reply has no list")) // taken for an empty one it would end the walk
	}
	return listed{rows: rows, pages: info.Page.Total.number(), skew: reply.Skew}, nil
}

// Fetch reads one page of the list.
func (t *Tracker) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	at := parsePosition(since.Token)
	got, err := t.list(ctx, listQuery{TrackingStatus: at.part.trackingStatus(), Page: at.page})
	if err != nil {
		return connectors.Page{}, err
	}
	page := connectors.Page{Kind: connectors.Changes, Skew: got.skew}
	for _, raw := range got.rows {
		number, _ := transport.Field(raw, "number")
		id := parcelNumber(number)
		if id == "" {
			page.Rejects = append(page.Rejects, malformed("track17 gettracklist", "", raw, errNoNumber))
			continue
		}
		page.Rows = append(page.Rows, connectors.Row{ID: id, Raw: raw, Fingerprint: fingerprint(raw)})
	}
	last := len(got.rows) == 0 || int64(at.page) >= got.pages && (got.pages > 0 || len(got.rows) < batchSize)
	next, more := at.next(last, t.now())
	page.Next, page.More = next.cursor(), more
	return page, nil
}

// volatile are members of a row that change without news of the parcel: what became of pushes to us, and whether the provider is
// reading the carrier right now.
func volatile(name string) bool {
	return strings.HasPrefix(name, "push_") || name == "sync_status"
}

// fingerprint hashes a row without what is volatile. When the provider last asked the carrier (track_time) moves a few times a day; it
// counts only in a row that does not tell its newest event, where it is the one sign of news. Unsure [D22]: should the newest event of a
// row turn out to lag behind, let track_time always count.
func fingerprint(raw []byte) uint64 {
	parts := make([]string, 0, 64)
	if at, _ := transport.Field(raw, "latest_event_time"); at == "" {
		asked, _ := transport.Field(raw, "track_time")
		parts = append(parts, asked)
	}
	err := members(raw, func(name string, value jsontext.Value) {
		if !volatile(name) && name != "track_time" {
			parts = append(parts, name, string(value))
		}
	})
	if err != nil {
		return transport.Fingerprint(raw)
	}
	return transport.FingerprintOf(parts...)
}
