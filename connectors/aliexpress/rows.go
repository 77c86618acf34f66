package aliexpress

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
)

// pageSize is the largest page of the list [AE-cat].
const pageSize = 50

// lastPage ends every walk: a platform that pages on for ever would keep the snapshot from completing.
const lastPage = 20_000

// listing is one page of the list as the platform tells it, its rows not decoded.
type listing struct {
	rows  []transport.RawRow
	size  int // rows a page, as the platform did it
	total int // rows in all; -1 when not told
}

// readList finds the rows of a page. A reply without its list is no empty list: that would end every open case. But the platform may leave
// an empty list out when it says that there is nothing (unsure).
func readList(e envelope, page int) (listing, *connectors.Error) {
	l := listing{size: pageSize, total: -1}
	if n, ok := count(e, "total_item"); ok {
		l.total = n
	}
	if n, ok := count(e, "page_size"); ok && n > 0 {
		l.size = n
	}
	raw, ok := e.member("data_list")
	if !ok && l.total != 0 {
		return l, malformed()
	}
	if ok {
		rows, err := transport.SplitRows(raw)
		if err != nil {
			return l, malformed()
		}
		l.rows = rows
	}
	if len(l.rows) == 0 && page == 1 && l.total > 0 {
		return l, malformed()
	}
	return l, nil
}

func count(e envelope, name string) (int, bool) {
	value, ok := transport.Field(e.params, name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(clean(value), 10, 32)
	return int(n), err == nil && n >= 0
}

// rowOf takes a row's identity, and the buyer's login, without decoding it. Its fingerprint is of what the platform changes when a dispute
// moves; a row that does not tell when it was modified counts whole.
func rowOf(raw transport.RawRow) (row connectors.Row, buyer string, ok bool) {
	f := transport.Fields(raw, "issue_id", "buyer_login_id", "issue_status", "gmt_modified")
	id := text(clean(f[0])).id()
	if id == "" || id[0] == '-' {
		return connectors.Row{}, "", false
	}
	row = connectors.Row{ID: id, Raw: raw}
	if f[3] == "" {
		row.Fingerprint = transport.Fingerprint(raw)
	} else {
		row.Fingerprint = transport.FingerprintOf(id, f[2], f[3])
	}
	return row, clean(f[1]), true
}

var errRow = errors.New("the row has no usable issue_id")

func rejectOf(raw transport.RawRow) connectors.Reject {
	id, _ := transport.Field(raw, "issue_id")
	return connectors.Reject{
		ID: text(clean(id)).id(), Raw: raw[:min(len(raw), connectors.MaxRejectBytes)],
		Err: &connectors.Error{Op: "aliexpress row", Kind: connectors.Malformed, Err: errRow},
	}
}

// place is where a walk through the snapshot stands: the page to read, and the fewest rows that the list was said to have so far.
type place struct {
	page  int
	total int // 0 at the start, and when not told
}

func parsePlace(token string) place {
	page, total, _ := strings.Cut(token, ".")
	p, err1 := strconv.Atoi(page)
	n, err2 := strconv.Atoi(total)
	if err1 != nil || err2 != nil || p < 1 || p > lastPage || n < 0 {
		return place{page: 1}
	}
	return place{page: p, total: n}
}

func (p place) String() string { return fmt.Sprintf("%d.%d", p.page, p.total) }

// next is where to go on. Pages are numbers, and when a dispute closes during the walk every later row moves up: the first rows of the
// next page then stand on one that was read before. A list that has become shorter is therefore read again from as many pages back as
// the rows that are gone could fill. The total kept only falls, so that a walk ends even where it swings. (A dispute that closes in the
// same moment in which another opens hides a row until the next snapshot.)
func (p place) next(l listing) (place, bool) {
	to := place{page: p.page + 1, total: max(l.total, 0)}
	if lost := p.total - l.total; p.total > 0 && l.total >= 0 {
		to.total = min(p.total, l.total)
		if lost > 0 && p.page > 1 {
			to.page = max(p.page-(lost+l.size-1)/l.size, 1)
			return to, true
		}
	}
	more := len(l.rows) > 0
	if l.total >= 0 {
		more = more && p.page*l.size < l.total
	} else {
		more = more && len(l.rows) >= l.size
	}
	return to, more && to.page <= lastPage
}
