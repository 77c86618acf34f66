package simulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// clock is a country's zone as the carriers there write it; daylight saving is left out.
func clock(country string) *time.Location {
	if country == "CN" {
		return time.FixedZone("", 8*60*60)
	}
	for _, m := range markets {
		if m.country == country {
			return time.FixedZone("", int(m.offset.Seconds()))
		}
	}
	return time.UTC
}

// stamp is an instant, or null when there is none.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// info is one number's full record; pending while the first result has not come.
func (t track) info(c call, it item) (object, int) {
	p := t.followed(it)
	if p == nil {
		return nil, codeUnknown
	}
	if c.now.Before(p.registered.Add(firstResultAfter)) {
		return nil, codePending
	}
	return object{
		keyNumber: p.number, keyCarrier: p.carrier.key, "param": nil, "tag": p.tag, "track_info": p.info(c.now),
	}, codeOK
}

func (p *parcel) info(now time.Time) object {
	main, sub := p.status(now)
	events := p.events(now)
	shipper := "CN"
	recipient := p.dest.country
	var latest any
	if len(events) > 0 {
		latest = events[0]
	}
	misc := object{
		"risk_factor": 0, "service_type": nil, "weight_raw": "0.35 KG", "weight_kg": "0.35", "pieces": nil, "dimensions": nil,
		"customer_number": nil, "reference_number": nil, "local_number": nil, "local_provider": nil, "local_key": 0,
	}
	// The first carrier repeats the scans of the second.
	providers := []any{p.provider(now, p.carrier, events)}
	if local := p.lastMile(now); p.traps.twoProviders && local > 0 {
		providers = append(providers, p.provider(now, p.dest.post, events[:local]))
		misc["local_number"], misc["local_provider"], misc["local_key"] = "L"+p.number, p.dest.post.name, p.dest.post.key
	}
	return object{
		"shipping_info": object{"shipper_address": address(shipper), "recipient_address": address(recipient)},
		"latest_status": object{"status": main, "sub_status": sub, "sub_status_descr": nil}, "latest_event": latest,
		"time_metrics": p.metrics(now), "milestone": p.milestones(now),
		"misc_info": misc, "tracking": object{"providers_hash": hash(providers), "providers": providers},
	}
}

// lastMile is how many of the newest scans the carrier of the destination made.
func (p *parcel) lastMile(now time.Time) int {
	n := 0
	for _, s := range slices.Backward(p.visible(now)) {
		if s.country != p.dest.country {
			break
		}
		n++
	}
	return n
}

func (p *parcel) provider(now time.Time, c carrier, events []object) object {
	return object{
		"provider":      object{"key": c.key, "name": c.name, "alias": c.name, "tel": nil, "homepage": "https://carrier.example", "country": ""},
		"provider_lang": nil, "provider_tips": nil, "service_type": nil, "latest_sync_status": "Success", "latest_sync_time": stamp(now.Truncate(6 * time.Hour)),
		"events_hash": hash(events), "events": events,
	}
}

// hash is a signed 32-bit number that changes with the content, as the provider's do.
func hash(v any) int32 {
	b, err := json.Marshal(v)
	if err != nil {
		return 0
	}
	return int32(uint32(number(string(b))))
}

func address(country string) object {
	out := object{"country": nil, "state": nil, "city": nil, "street": nil, "postal_code": nil,
		"coordinates": object{"longitude": nil, "latitude": nil}}
	if country != "" {
		out["country"] = country
	}
	return out
}

// events are the scans so far, newest first.
func (p *parcel) events(now time.Time) []object {
	seen := p.visible(now)
	out := make([]object, 0, len(seen))
	for k, s := range slices.Backward(seen) {
		local := s.at.In(clock(s.country))
		raw := object{"date": local.Format("2006-01-02"), "time": local.Format("15:04:05"), "timezone": local.Format("-07:00")}
		e := object{
			"time_iso": local.Format("2006-01-02T15:04:05-07:00"), "time_utc": stamp(s.at),
			"time_raw":    raw,
			"description": s.text, "description_translation": nil, "location": s.country, "stage": nil, "sub_status": s.sub,
			"address": address(s.country),
		}
		if s.stage != "" {
			e["stage"] = s.stage
		}
		if k == 2 && p.traps.nullISO {
			e["time_iso"], e["time_utc"] = nil, nil
			raw["timezone"] = nil
		}
		if k == 3 && p.traps.unknownSub && s.sub == "InTransit_Other" {
			e["sub_status"] = "InTransit_TransportArrived" // in no list, seen in the wild [C]
		}
		out = append(out, e)
	}
	return out
}

func (p *parcel) metrics(now time.Time) object {
	days := func(since time.Time) int { return int(now.Sub(since) / day) }
	out := object{
		"days_of_transit": 0, "days_of_transit_done": 0, "days_after_last_update": 0,
		"estimated_delivery_date": object{"source": nil, "from": nil, "to": nil},
	}
	key := "days_after_order"
	if p.traps.trailingKey {
		key += " " // as documented
	}
	out[key] = days(p.registered)
	if seen := p.visible(now); len(seen) > 0 {
		out["days_of_transit"], out["days_after_last_update"] = days(seen[0].at), days(seen[len(seen)-1].at)
	}
	return out
}

var keyStages = []string{"InfoReceived", "PickedUp", "Departure", "Arrival", "AvailableForPickup", "OutForDelivery", "Delivered", "Returning", "Returned"}

func (p *parcel) milestones(now time.Time) []any {
	reached := map[string]time.Time{}
	for _, s := range p.visible(now) {
		if _, had := reached[s.stage]; !had {
			reached[s.stage] = s.at
		}
	}
	out := []any{}
	for _, stage := range keyStages {
		at, ok := reached[stage]
		if ok || p.traps.allStages {
			out = append(out, object{"key_stage": stage, "time_iso": stamp(at), "time_utc": stamp(at), "time_raw": object{"date": nil, "time": nil, "timezone": nil}})
		}
	}
	return out
}

type trackQuery struct {
	Number  string `json:"number"`
	Track   string `json:"tracking_status"`
	Package string `json:"package_status"`
	Page    int    `json:"page_no"`
}

// list pages through the account in the order of registration.
func (t track) list(c call) reply {
	var q trackQuery
	if json.Unmarshal(c.body, &q) != nil {
		return failedInside(codeBadData)
	}
	q.Page = max(q.Page, 1)
	var rows []any
	total := 0
	for _, p := range t.inOrder() {
		if !q.wants(p, c.now) {
			continue
		}
		if total >= (q.Page-1)*trackPageSize && total < q.Page*trackPageSize {
			rows = append(rows, p.row(c.now))
		}
		total++
	}
	rows = c.spoil(rows, q.Page, object{keyNumber: []int{1}, keyCarrier: nil, "register_time": 5})
	return reply{status: http.StatusOK, value: object{
		keyCode: codeOK, "data": object{"accepted": append([]any{}, rows...), "rejected": []any{}},
		"page": object{ // beside the data, not in it
			"data_total": total, "page_total": (total + trackPageSize - 1) / trackPageSize, "page_no": q.Page, "page_size": trackPageSize,
		},
	}}
}

func (t track) inOrder() []*parcel {
	all := slices.DeleteFunc(slices.Clone(t.w.parcels), func(p *parcel) bool { return p.registered.IsZero() })
	slices.SortStableFunc(all, func(a, b *parcel) int { return a.registered.Compare(b.registered) })
	return all
}

func (q trackQuery) wants(p *parcel, now time.Time) bool {
	if q.Number != "" && !slices.Contains(strings.Split(q.Number, ","), p.number) {
		return false
	}
	tracking := "Tracking"
	if at, _ := p.stopped(now); !at.IsZero() {
		tracking = "Stopped"
	}
	main, _ := p.status(now)
	return (q.Track == "" || tracking == q.Track) && (q.Package == "" || main == q.Package)
}

// row is a number's line in the list; times that are not known are null or empty, as they come.
func (p *parcel) row(now time.Time) object {
	main, _ := p.status(now)
	row := object{
		keyNumber: p.number, "param": nil, "param_type": "None", "data_origin": "Api", keyCarrier: p.carrier.key, "shipping_country": "CN",
		"final_carrier": 0, "recipient_country": p.dest.country, "register_time": stamp(p.registered), "tracking_status": "Tracking",
		"package_status": main, "track_time": stamp(now.Truncate(6 * time.Hour)), "sync_status": true, "push_time": nil, "push_status": "NotPushed",
		"push_status_code": 0, "stop_track_time": "", "stop_track_reason": nil, "is_retracked": !p.retracked.IsZero(), "carrier_change_count": 0,
		"tag": p.tag, "email": nil, "order_no": nil, "order_time": nil, "lang": nil, "remark": nil,
		"latest_event_time": nil, "latest_event_info": nil, "delievery_time": "", "pickup_time": nil,
	}
	if p.orderNo != "" {
		row["order_no"] = p.orderNo
	}
	if at, why := p.stopped(now); !at.IsZero() {
		row["tracking_status"], row["stop_track_time"], row["stop_track_reason"] = "Stopped", stamp(at), why
	}
	seen := p.visible(now)
	for _, s := range seen {
		switch s.stage {
		case "Delivered":
			row["delievery_time"] = stamp(s.at)
		case "PickedUp":
			row["pickup_time"] = stamp(s.at)
		}
	}
	if len(seen) > 0 {
		last := seen[len(seen)-1]
		row["latest_event_time"], row["latest_event_info"] = stamp(last.at), last.text
	}
	return row
}
