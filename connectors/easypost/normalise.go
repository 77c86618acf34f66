package easypost

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// normalise turns the bytes of one tracker into a shipment. Its errors tell what is wrong and quote nothing.
func normalise(store sla.StoreID, raw []byte) (sla.Shipment, error) {
	var t tracker
	if err := json.Unmarshal(raw, &t); err != nil {
		return sla.Shipment{}, errors.New("not a tracker: " + wrong(err))
	}
	r, ok := ref(t.TrackingCode, t.Carrier)
	if !ok {
		return sla.Shipment{}, errors.New("tracking code or carrier is none")
	}
	s := sla.Shipment{Ref: r, Store: store, Status: clip(t.Status) + "/" + clip(t.StatusDetail)}
	if t.Carriage != nil {
		s.Origin, s.Dest = t.Carriage.Origin.code(), t.Carriage.Dest.code()
	}
	scans := slices.Clone(t.Details)
	slices.SortStableFunc(scans, func(a, b detail) int { return instant(a.Datetime).Compare(instant(b.Datetime)) })
	s.Events = events(scans, s)
	s.Registered = registered(instant(t.CreatedAt), s.Events)
	s.Milestone, s.Failure = present(t, scans, s)
	s.Stopped = t.StatusDetail == expired
	return s, nil
}

// wrong says which member has which wrong type; the library's own words may quote the value.
func wrong(err error) string {
	var typed *json.UnmarshalTypeError
	if errors.As(err, &typed) && typed.Field != "" {
		return "member " + clip(typed.Field) + " has another type"
	}
	return "not an object of that shape"
}

// clip keeps an unknown word short and printable.
func clip(word string) string {
	word = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, word)
	return word[:min(len(word), 40)]
}

// events turns the scans into events. EasyPost writes local time with a Z where it knows the place and UTC where it does not; we
// cannot tell which, and take both as UTC, so an event may be off by up to fourteen hours.
func events(scans []detail, s sla.Shipment) []sla.Event {
	if len(scans) == 0 {
		return nil
	}
	out := make([]sla.Event, 0, len(scans))
	returning := false
	for _, d := range scans {
		e := sla.Event{At: instant(d.Datetime), Country: d.Location.code()}
		e.Milestone, _ = meaning(d.Status, d.StatusDetail, d.text())
		e.Milestone = wayBack(e, returning, s)
		returning = returning || e.Milestone == sla.MilestoneReturning
		out = append(out, e)
	}
	return out
}

// wayBack turns a delivery after a return into what it is: the sender has the parcel. Only a scan in the buyer's country and not the
// sender's shows that the return was called off.
func wayBack(e sla.Event, returning bool, s sla.Shipment) sla.Milestone {
	if e.Milestone != sla.MilestoneDelivered || !returning {
		return e.Milestone
	}
	if e.Country != "" && e.Country == s.Dest && s.Origin != "" && s.Origin != s.Dest {
		return e.Milestone
	}
	return sla.MilestoneReturned
}

// present is what the tracker says of itself now. Its words on top are as coarse as those of a scan, so the newest scan's text helps. A
// tracker in error says nothing of the parcel: what the last scans said still holds.
func present(t tracker, scans []detail, s sla.Shipment) (sla.Milestone, sla.Failure) {
	text := ""
	if n := len(scans); n > 0 && scans[n-1].Status == t.Status {
		text = scans[n-1].text()
	}
	m, failure := meaning(t.Status, t.StatusDetail, text)
	if t.Status == inError {
		for _, e := range slices.Backward(s.Events) {
			if e.Milestone != sla.MilestoneUnknown {
				return e.Milestone, sla.FailureNone
			}
		}
	}
	if m == sla.MilestoneDelivered && len(s.Events) > 0 {
		last := s.Events[len(s.Events)-1]
		last.Milestone = m
		return wayBack(last, s.Reached(sla.MilestoneReturning), s), failure
	}
	return m, failure
}

// registered is when the parcel was announced: its first announcement among the events, or when the tracker was made.
func registered(created time.Time, events []sla.Event) time.Time {
	for _, e := range events {
		if e.Milestone == sla.MilestonePreTransit && !e.At.IsZero() && (created.IsZero() || e.At.Before(created)) {
			return e.At
		}
	}
	return created
}

// NormaliseReply reads one recorded reply or webhook body: a tracker, a page of trackers, an event about a tracker, or a refusal. The
// shipments have no store.
func NormaliseReply(body []byte) ([]sla.Dispute, []sla.Shipment, []connectors.Reject, error) {
	if !json.Valid(body) || !transport.LooksJSON(body) {
		return nil, nil, nil, &connectors.Error{Op: "easypost replay", Kind: connectors.Malformed, Err: errors.New("not JSON")}
	}
	if code, ok := faultCode(body); ok {
		return nil, nil, []connectors.Reject{reject("", "", body, clip(code), "a refusal")}, nil
	}
	var shipments []sla.Shipment
	var rejects []connectors.Reject
	for _, raw := range trackersIn(body) {
		s, err := normalise("", raw)
		if err != nil {
			id, _ := transport.Field(raw, "id")
			rejects = append(rejects, reject("", clip(id), raw, "", err.Error()))
			continue
		}
		shipments = append(shipments, s)
	}
	return nil, shipments, rejects, nil
}

// trackersIn finds the trackers of a reply by its shape. What has none of the shapes is taken for a tracker, to be rejected as one.
func trackersIn(body []byte) []transport.RawRow {
	if _, ok := transport.Member(body, "trackers"); ok {
		if rows, err := transport.SplitRows(body, "trackers"); err == nil {
			return rows
		}
	}
	if result, ok := transport.Member(body, "result"); ok {
		return []transport.RawRow{result}
	}
	return []transport.RawRow{body}
}
