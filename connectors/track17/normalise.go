package track17

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

// shipment turns one item with its detail into a shipment. It is a pure function; the order comes from the item where it tells one.
func (it *wireItem) shipment() sla.Shipment {
	s := sla.Shipment{Ref: refOf(it.Number, it.OrderNo), Carrier: carrierOf(it.Carrier), Origin: country(it.OriginLand), Dest: country(it.DestLand)}
	info := it.TrackInfo
	if info == nil {
		return s
	}
	s.Origin = cmp.Or(addressCountry(info.ShippingInfo.Shipper), s.Origin)
	s.Dest = cmp.Or(addressCountry(info.ShippingInfo.Recipient), s.Dest)
	main, sub := string(info.LatestStatus.Status), string(info.LatestStatus.SubStatus)
	s.Status = statusWords(main, sub)
	j := journey{origin: s.Origin, dest: s.Dest, left: info.left()}
	s.Events = j.events(info)
	latest := wireEvent{}
	if len(info.LatestEvent) > 0 {
		_ = decode(info.LatestEvent, &latest) // an unreadable newest event leaves the status alone
	}
	m := statusMeaning(main, sub).refined(string(latest.Description))
	s.Milestone, s.Failure = j.customs(m.milestone, addressCountry(latest.Address), string(latest.Description)), m.failure
	return s
}

// shipment of a list row knows the main status only.
func (r *wireRow) shipment() sla.Shipment {
	m := statusMeaning(string(r.PackageStatus), "").refined(string(r.LatestInfo))
	s := sla.Shipment{
		Ref: refOf(r.Number, r.OrderNo), Carrier: carrierOf(r.Carrier), Status: statusWords(string(r.PackageStatus), ""), Milestone: m.milestone, Failure: m.failure,
		Registered: instant(r.RegisterTime), Origin: country(r.ShippingCountry), Dest: country(r.Recipient), Stopped: r.stopped(),
	}
	if r.LatestTime != "" || r.LatestInfo != "" {
		said, _ := sla.MilestoneFromText(string(r.LatestInfo))
		s.Events = []sla.Event{{At: instant(r.LatestTime), Milestone: said}}
	}
	return s
}

func (r *wireRow) stopped() bool { return r.TrackingStatus == "Stopped" }

// complete adds what only the list tells.
func (r *wireRow) complete(s *sla.Shipment) {
	listed := r.shipment()
	s.Registered, s.Stopped = listed.Registered, listed.Stopped
	s.Ref.Order = cmp.Or(s.Ref.Order, listed.Ref.Order)
	s.Carrier, s.Origin, s.Dest = cmp.Or(s.Carrier, listed.Carrier), cmp.Or(s.Origin, listed.Origin), cmp.Or(s.Dest, listed.Dest)
}

// pendingStatus is what a number shows that 17TRACK follows and has no result for yet.
const pendingStatus = "NotFound/pending"

func pending(number text) sla.Shipment {
	return sla.Shipment{Ref: refOf(number, ""), Status: pendingStatus}
}

func refOf(number, order text) sla.ShipmentRef {
	return sla.ShipmentRef{Number: parcelNumber(string(number)), Order: string(order)}
}

// carrierOf is the code of the carrier that 17TRACK found, as variables name it; empty when there is none so far.
func carrierOf(code text) string {
	if n := code.number(); n > 0 {
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// parcelNumber is a number as we key it.
func parcelNumber(s string) string {
	return strings.ToUpper(strings.Join(strings.Fields(s), ""))
}

// statusWords keeps the provider's words, shortened: they are for people, and come from outside.
func statusWords(main, sub string) string {
	words := main
	if sub != "" {
		words = main + "/" + sub
	}
	if len(words) > 80 {
		words = words[:80]
	}
	return strings.ToValidUTF8(words, "")
}

// journey reads events in order and remembers whether the parcel is abroad by then: a customs scan at home is export clearance, and
// the provider has one word for both [D22].
type journey struct {
	origin string
	dest   string
	left   []time.Time // when the provider says it departed or arrived
	abroad bool
}

// left lists when the milestones Departure and Arrival were reached; the other stages may be listed with null times.
func (info *wireTrackInfo) left() []time.Time {
	var out []time.Time
	for _, m := range info.Milestone {
		at := earliestGiven(m.TimeUTC, m.TimeISO)
		if !at.IsZero() && (m.KeyStage == "Departure" || m.KeyStage == "Arrival") {
			out = append(out, at)
		}
	}
	return out
}

type scan struct {
	at    time.Time
	event wireEvent
}

// events merges the providers' scans, oldest first, each once. The same scan told by two providers stays twice, which harms nobody.
func (j *journey) events(info *wireTrackInfo) []sla.Event {
	var scans []scan
	seen := map[string]struct{}{}
	for _, p := range info.Tracking.Providers {
		for _, raw := range slices.Backward(p.Events) { // newest first on the wire
			var e wireEvent
			if decode(raw, &e) != nil {
				continue
			}
			key := fmt.Sprintf("%s\x00%s\x00%s\x00%s\x00%s", p.Provider.Key, e.TimeUTC, e.TimeISO, e.TimeRaw, e.Description)
			if _, twice := seen[key]; twice {
				continue
			}
			seen[key] = struct{}{}
			scans = append(scans, scan{at: e.at(), event: e})
		}
	}
	slices.SortStableFunc(scans, func(a, b scan) int { return a.at.Compare(b.at) })
	var out []sla.Event
	for _, s := range scans {
		out = append(out, j.event(s))
	}
	j.abroad = j.abroad || len(j.left) > 0
	return out
}

func (j *journey) event(s scan) sla.Event {
	out := sla.Event{At: s.at, Milestone: s.event.milestone(), Country: addressCountry(s.event.Address)}
	for _, left := range j.left {
		j.abroad = j.abroad || !s.at.IsZero() && !left.After(s.at)
	}
	j.abroad = j.abroad || out.Milestone == sla.MilestoneExported || out.Milestone == sla.MilestoneArrived ||
		j.awayFromHome(out.Country)
	out.Milestone = j.customs(out.Milestone, out.Country, string(s.event.Description))
	return out
}

func (j *journey) awayFromHome(where string) bool {
	return where != "" && j.origin != "" && where != j.origin
}

// customs tells export from import clearance. Cleared without a departure before it is export; clearance under way counts as export
// only when the scan is known to be at home, since a missing departure scan must not hide a parcel that waits in import customs.
func (j *journey) customs(m sla.Milestone, where, text string) sla.Milestone {
	home := where != "" && where == j.origin
	switch {
	case m != sla.MilestoneCustoms && m != sla.MilestoneCustomsReleased:
		return m
	case j.abroad, j.awayFromHome(where), where != "" && where == j.dest && where != j.origin:
		return m
	case m == sla.MilestoneCustoms && !home:
		return m
	case strings.Contains(strings.ToLower(text), "import") || strings.Contains(text, "进口"):
		return m
	}
	return sla.MilestoneOriginTransit
}

// milestone is what one scan says: a sub-status that is sure of itself, then the stage, then the sub-status or, without one, the text.
func (e *wireEvent) milestone() sla.Milestone {
	sub := string(e.SubStatus)
	m, known := subStatuses[sub]
	stage, staged := keyStages[string(e.Stage)]
	switch {
	case known && m.text == 0:
		return m.milestone
	case staged && stage == sla.MilestoneDelivered:
		m = meaning{milestone: stage, text: notBuyer}
	case staged:
		return stage
	case sub == "":
		said, _ := sla.MilestoneFromText(string(e.Description))
		return said
	case !known:
		m = statusMeaning("", sub)
	}
	return m.refined(string(e.Description)).milestone
}

// at is the scan's instant. When only the raw time is told there is none: it has no zone, and we invent none.
func (e *wireEvent) at() time.Time { return earliestGiven(e.TimeUTC, e.TimeISO) }

func earliestGiven(utc, iso text) time.Time {
	if at := zoned(utc); !at.IsZero() {
		return at
	}
	return zoned(iso)
}

// Instants outside these years are a broken feed: one scan in the year 9999 would silence every idle clock.
const (
	firstYear = 2000
	lastYear  = 2100
)

// zoned reads a time that tells its zone; zero otherwise.
func zoned(t text) time.Time {
	at, err := time.Parse(time.RFC3339, string(t))
	if err != nil || at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}
	}
	return at.UTC()
}

// instant reads a time of the list. Unsure [D22]: its format is not documented; without a zone it is taken for UTC, as the samples are.
func instant(t text) time.Time {
	if at := zoned(t); !at.IsZero() {
		return at
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, string(t)); err == nil && at.Year() >= firstYear && at.Year() <= lastYear {
			return at
		}
	}
	return time.Time{}
}

func addressCountry(a *wireAddress) string {
	if a == nil {
		return ""
	}
	return country(a.Country)
}

// country accepts two letters; anything else is not known.
func country(t text) string {
	c := strings.ToUpper(string(t))
	if len(c) != 2 || c[0] < 'A' || c[0] > 'Z' || c[1] < 'A' || c[1] > 'Z' {
		return ""
	}
	return c
}

// malformed rejects what cannot be read, with its bytes.
func malformed(op, id string, raw []byte, cause error) connectors.Reject {
	return connectors.Reject{
		ID: id, Raw: raw[:min(len(raw), connectors.MaxRejectBytes)],
		Err: &connectors.Error{Op: op, Subject: id, Kind: connectors.Malformed, Err: cause},
	}
}

var errNoNumber = errors.New("no number")

// readItem decodes one accepted or rejected item of a gettrackinfo reply, or the data of a webhook.
func readItem(raw []byte) (*wireItem, error) {
	var it wireItem
	if err := decode(raw, &it); err != nil {
		return nil, err
	}
	if it.Number == "" {
		return nil, errNoNumber
	}
	return &it, nil
}

// readRow decodes one row of the list.
func readRow(raw []byte) (*wireRow, error) {
	var r wireRow
	if err := decode(raw, &r); err != nil {
		return nil, err
	}
	if r.Number == "" {
		return nil, errNoNumber
	}
	return &r, nil
}

// normaliseReply reads a recorded gettrackinfo, gettracklist or webhook body.
func normaliseReply(body []byte) ([]sla.Dispute, []sla.Shipment, []connectors.Reject, error) {
	const op = "track17 reply"
	if _, ok := transport.Field(body, "event"); ok {
		hook, err := DecodeWebhook(body)
		if err != nil {
			return nil, nil, nil, err
		}
		return nil, []sla.Shipment{hook.Shipment}, nil, nil
	}
	if e := classify(200, body); e != nil {
		e.Op = op
		return nil, nil, nil, e
	}
	accepted, err := transport.SplitRows(body, "data", "accepted")
	if err != nil {
		return nil, nil, nil, err
	}
	refused, err := transport.SplitRows(body, "data", "rejected")
	if err != nil {
		return nil, nil, nil, err
	}
	var shipments []sla.Shipment
	var rejects []connectors.Reject
	for _, raw := range slices.Concat(accepted, refused) {
		s, ok, err := normaliseItem(raw)
		if err != nil {
			id, _ := transport.Field(raw, "number")
			rejects = append(rejects, malformed(op, id, raw, err))
		} else if ok {
			shipments = append(shipments, s)
		}
	}
	return nil, shipments, rejects, nil
}

// normaliseItem reads an element of any list of a reply; not ok when it says that there is nothing to know.
func normaliseItem(raw []byte) (sla.Shipment, bool, error) {
	it, err := readItem(raw)
	switch {
	case err != nil:
		return sla.Shipment{}, false, err
	case it.Error != nil && it.Error.Code.number() == codePending:
		return pending(it.Number), true, nil
	case it.Error != nil && it.Error.Code.number() == codeNotRegistered:
		return sla.Shipment{}, false, nil
	case it.Error != nil:
		return sla.Shipment{}, false, fmt.Errorf("refused with code %d", it.Error.Code.number())
	case it.TrackInfo != nil:
		return it.shipment(), true, nil
	}
	row, err := readRow(raw)
	if err != nil {
		return sla.Shipment{}, false, err
	}
	return row.shipment(), true, nil
}
