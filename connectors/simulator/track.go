package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"watchkeeper/sla"
)

// Limits of the account.
const (
	mostNumbers   = 40
	callsASecond  = 3
	trackPageSize = 40
	quota         = 10_000
)

// The provider's codes used here.
const (
	codeOK            = 0
	codeBadKey        = -18010002
	codeInternal      = -18010003
	codeMissing       = -18010010
	codeBadFormat     = -18010012
	codeBadData       = -18010013
	codeTooMany       = -18010014
	codeNoWebhook     = -18010204
	codeKnown         = -18019901
	codeUnknown       = -18019902
	codeUndetected    = -18019903
	codeNotStopped    = -18019904
	codeRetrackedOnce = -18019905
	codeNotTracking   = -18019906
	codePending       = -18019909
)

// callsThisSecond counts calls in one second of the virtual clock.
type callsThisSecond struct {
	second int64
	n      int
}

// track is the 17TRACK account. All its calls are POST; the version is in the path.
type track struct{ w *World }

func (track) name() sla.Platform { return Track17 }

func (w *World) trackKey() string {
	r := draw(w.o.Seed, forStore, number(string(Track17)))
	return fmt.Sprintf("%016X%016X", r.Uint64(), r.Uint64())
}

func (track) read(r *http.Request, body []byte) call {
	op := endpoint(r.URL.Path)
	return call{Request: r, body: body, key: "17track\x00" + op + "\x00" + string(body), writes: op == "register"}
}

// endpoint is the last part of a path of a known version, empty otherwise.
func endpoint(path string) string {
	for _, version := range []string{"/track/v2.2/", "/track/v2.4/"} {
		if op, ok := strings.CutPrefix(path, version); ok {
			return op
		}
	}
	return ""
}

func (track) throttled(call) reply {
	return reply{status: http.StatusTooManyRequests, header: map[string]string{"Retry-After": "1"}, value: "Too Many Requests"}
}

func (track) broken(c call) reply {
	if c.draw(forServerError).Uint64()%2 == 0 {
		return failed(http.StatusOK, codeInternal)
	}
	return reply{status: http.StatusServiceUnavailable, value: "<html>503</html>"}
}

// failed refuses a whole request, with the code at the top.
func failed(status, code int) reply {
	return reply{status: status, value: object{keyCode: code, "data": faults(code)}}
}

// failedInside refuses a whole request the other way: code 0, and the errors inside.
func failedInside(code int) reply {
	return done(faults(code))
}

func faults(code int) object {
	return object{"errors": []any{object{keyCode: code, "message": messages[code]}}}
}

var messages = map[int]string{
	codeBadKey: "Invalid access token.", codeInternal: "Internal service error, please retry later.", codeMissing: "The data is required.",
	codeBadFormat: "The format of '%s' is invalid.", codeBadData: "The submitted data is invalid.", codeTooMany: "The number of tracking numbers exceeds 40.",
	codeNoWebhook: "The webhook URL is not set.", codeKnown: "The tracking number '%s' has been registered, don't need to repeat registration.",
	codeUnknown: "The tracking number '%s' does not register, please register first.", codeUndetected: "The carrier of '%s' cannot be detected.",
	codeNotStopped: "Only stopped numbers can be tracked again.", codeRetrackedOnce: "A number can be tracked again only once.",
	codeNotTracking: "Only numbers being tracked can be stopped.", codePending: "No tracking information at this time.",
}

func (t track) answer(c call) reply {
	op := endpoint(c.URL.Path)
	handlers := map[string]func(call) reply{
		"register": t.each(t.register), "gettrackinfo": t.each(t.info), "stoptrack": t.each(t.stop), "retrack": t.each(t.retrack),
		"deletetrack": t.each(t.remove), "changeinfo": t.each(t.change), "gettracklist": t.list, "getquota": t.quota,
		"push": func(call) reply { return failedInside(codeNoWebhook) },
	}
	handle := handlers[op]
	switch {
	case handle == nil || c.Method != http.MethodPost:
		return reply{status: http.StatusNotFound, value: "not found"}
	case c.Header.Get("17token") != t.w.trackKey():
		return failed(http.StatusUnauthorized, codeBadKey)
	case t.w.calls.exceed(c.now):
		return t.throttled(c)
	}
	return handle(c)
}

// exceed counts a call, and reports whether it is one too many.
func (n *callsThisSecond) exceed(now time.Time) bool {
	if s := now.Unix(); s != n.second {
		n.second, n.n = s, 0
	}
	n.n++
	return n.n > callsASecond
}

// item is one number of a request.
type item struct {
	Number  string `json:"number"`
	Carrier int    `json:"carrier"`
	Tag     string `json:"tag"`
	OrderNo string `json:"order_no"`
	Items   struct {
		Tag *string `json:"tag"`
	} `json:"items"`
}

// each runs a request over its numbers: what fails is rejected and the rest is accepted.
func (t track) each(do func(c call, it item) (object, int)) func(call) reply {
	return func(c call) reply {
		var items []item
		switch err := json.Unmarshal(c.body, &items); {
		case err != nil:
			return failedInside(codeBadData)
		case len(items) == 0:
			return failedInside(codeMissing)
		case len(items) > mostNumbers:
			return failed(http.StatusOK, codeTooMany)
		}
		accepted, rejected := []any{}, []any{}
		for _, it := range items {
			row, code := object(nil), codeBadFormat
			if validNumber(it.Number) {
				row, code = do(c, it)
			}
			if code == codeOK {
				accepted = append(accepted, row)
			} else {
				rejected = append(rejected, it.rejected(code))
			}
		}
		accepted = c.spoil(accepted, 1, object{keyNumber: 7, keyCarrier: "none", "track_info": []any{}})
		return done(object{"accepted": accepted, "rejected": rejected})
	}
}

func done(data object) reply {
	return reply{status: http.StatusOK, value: object{keyCode: codeOK, "data": data}}
}

// rejected carries the carrier as text, as the provider does.
func (it item) rejected(code int) object {
	msg := messages[code]
	if strings.Contains(msg, "%s") {
		msg = fmt.Sprintf(msg, it.Number)
	}
	row := object{keyNumber: it.Number, "error": object{keyCode: code, "message": msg}}
	if it.Carrier != 0 {
		row[keyCarrier] = strconv.Itoa(it.Carrier)
	}
	return row
}

func validNumber(s string) bool {
	if len(s) < 5 || len(s) > 50 {
		return false
	}
	for _, r := range s {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return false
		}
	}
	return true
}

// followed is the registered parcel of an item; nil when the account does not have it under that carrier.
func (t track) followed(it item) *parcel {
	p := t.w.numbers[it.Number]
	if p == nil || p.registered.IsZero() || it.Carrier != 0 && it.Carrier != p.carrier.key {
		return nil
	}
	return p
}

func (t track) register(c call, it item) (object, int) {
	p := t.w.numbers[it.Number]
	switch {
	case p != nil && !p.registered.IsZero():
		return nil, codeKnown
	case p == nil && it.Carrier == 0:
		return nil, codeUndetected
	case p == nil:
		p = &parcel{n: -1, number: it.Number, carrier: carrier{it.Carrier, "Carrier " + strconv.Itoa(it.Carrier)}, plan: noAnomaly}
		t.w.numbers[it.Number] = p
		t.w.parcels = append(t.w.parcels, p)
	case p.shipped.After(c.now):
		return nil, codeUndetected
	}
	p.registered, p.tag, p.orderNo = c.now, it.Tag, it.OrderNo
	t.w.logParcel(c.now, p, Entry{Actor: ActorSeller, Kind: KindRegistered})
	origin := 2
	if it.Carrier != 0 {
		origin = 1
	}
	return object{"origin": origin, keyNumber: p.number, keyCarrier: p.carrier.key, "email": nil, "tag": it.Tag, "lang": nil}, codeOK
}

func (t track) stop(c call, it item) (object, int) {
	p := t.followed(it)
	if p == nil {
		return nil, codeUnknown
	}
	if at, _ := p.stopped(c.now); !at.IsZero() {
		return nil, codeNotTracking
	}
	p.stoppedAt = c.now
	return it.accepted(p), codeOK
}

func (t track) retrack(c call, it item) (object, int) {
	p := t.followed(it)
	if p == nil {
		return nil, codeUnknown
	}
	if !p.retracked.IsZero() {
		return nil, codeRetrackedOnce
	}
	if at, _ := p.stopped(c.now); at.IsZero() {
		return nil, codeNotStopped
	}
	p.retracked, p.stoppedAt = c.now, time.Time{}
	return it.accepted(p), codeOK
}

func (t track) remove(_ call, it item) (object, int) {
	p := t.followed(it)
	if p == nil {
		return nil, codeUnknown
	}
	p.registered = time.Time{}
	return it.accepted(p), codeOK
}

func (t track) change(_ call, it item) (object, int) {
	p := t.followed(it)
	if p == nil {
		return nil, codeUnknown
	}
	if it.Items.Tag != nil {
		p.tag = *it.Items.Tag
	}
	return it.accepted(p), codeOK
}

func (item) accepted(p *parcel) object {
	return object{keyNumber: p.number, keyCarrier: p.carrier.key}
}

func (t track) quota(call) reply {
	used := 0
	for _, p := range t.w.parcels {
		if !p.registered.IsZero() {
			used++
		}
	}
	return done(object{
		"quota_total": quota, "quota_used": used, "quota_remain": max(quota-used, 0), "today_used": 0, "max_track_daily": quota,
		"free_email_quota": 0, "free_email_quotaused": 0,
	})
}
