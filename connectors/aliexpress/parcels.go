package aliexpress

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

const (
	orderMethod    = "aliexpress.solution.order.info.get"
	trackingMethod = "aliexpress.logistics.redefining.querytrackingresult"
	logisticsBit   = 4 // of ext_info_bit_flag: logistics alone [TOP-meta]
)

// orderInfo is what we read of an order. Names and addresses stay with the platform.
type orderInfo struct {
	Parcels list[orderParcel] `json:"logistic_info_list"`
	Buyer   struct {
		Country text `json:"country"`
	} `json:"buyer_info"`
	Receipt struct {
		Country text `json:"country"`
	} `json:"receipt_address"`
}

type orderParcel struct {
	Number  text `json:"logistics_no"`
	Service text `json:"logistics_type_code"`
}

// order reads the order of a dispute with its parcels.
func (s *Seller) order(ctx context.Context, v *view) (orderInfo, error) {
	var o orderInfo
	id := v.d.Parent.id()
	if id == "" {
		id = v.ref.Order
	}
	dto, err := json.Marshal(struct {
		Order json.Number `json:"order_id"`
		Flags int         `json:"ext_info_bit_flag"`
	}{json.Number(id), logisticsBit})
	if err != nil {
		return o, malformed()
	}
	_, err = s.call(ctx, request{
		method: orderMethod, subject: s.subject(v.ref), params: params{"param1": string(dto)},
		check: func(e envelope) *connectors.Error {
			raw, ok := e.member("data")
			if !ok || json.Unmarshal(raw, &o) != nil {
				return malformed()
			}
			return nil
		},
	})
	return o, err
}

// shipments are the order's parcels. The platform does not tell which of them holds the disputed goods.
func (o orderInfo) shipments(order string) []sla.ShipmentRef {
	var out []sla.ShipmentRef
	for _, p := range o.Parcels {
		number := strings.ToUpper(strings.Join(strings.Fields(string(p.Number)), ""))
		ref := sla.ShipmentRef{Number: number, Carrier: string(p.Service), Order: order}
		if printable(number) && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out
}

// printable reports whether a number can be one: carriers use letters, digits and a few signs, and no key of ours may break on it.
func printable(number string) bool {
	return number != "" && len(number) <= 50 && strings.IndexFunc(number, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == ':' || r == '/' }) < 0
}

// country is where the buyer lives; empty when not told.
func (o orderInfo) country() string {
	if c := countryOf(o.Receipt.Country); c != "" {
		return c
	}
	return countryOf(o.Buyer.Country)
}

// countryOf takes a code of two letters. The platform's list has codes of its own; of those with two letters only UK is not ISO's [TOP-meta].
func countryOf(t text) string {
	c := strings.ToUpper(string(t))
	switch {
	case len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return ""
	case c == "UK":
		return "GB"
	}
	return c
}

// trackedEvent is one scan as the platform shows it. Its text is read and not kept.
type trackedEvent struct {
	Text    text `json:"event_desc"`
	Status  text `json:"status"`
	Signed  text `json:"signed_date"`
	Date    text `json:"event_date"` // the name in the twin method [TOP-meta]
	Address text `json:"address"`
}

// tracking is the reply of the tracking query.
type tracking struct {
	Success text               `json:"result_success"`
	Details list[trackedEvent] `json:"details"`
}

// TrackingQuery reads the platform's own copy of one parcel's events. The parcel is one of a dispute's shipments, which know the
// service and the order that the platform wants; the country is where it goes.
func (s *Seller) TrackingQuery(ctx context.Context, ref sla.ShipmentRef, country string) (sla.Shipment, error) {
	var t tracking
	subject := string(s.store) + "/" + ref.Number
	area := country
	if area == "GB" {
		area = "UK" // the platform's own code
	}
	_, err := s.call(ctx, request{
		method: trackingMethod, subject: subject,
		params: params{"logistics_no": ref.Number, "origin": "ESCROW", "out_ref": ref.Order, "service_name": ref.Carrier, "to_area": area},
		check: func(e envelope) *connectors.Error {
			switch {
			case json.Unmarshal(e.params, &t) != nil:
				return malformed()
			case t.Success == "false":
				return &connectors.Error{Kind: connectors.NotFound, Err: errors.New("no tracking information")}
			case t.Success != "true":
				return malformed()
			}
			return nil
		},
	})
	if err != nil {
		return sla.Shipment{}, err
	}
	return t.shipment(sla.Shipment{Ref: ref, Store: s.store, Dest: country}), nil
}

// shipment adds the events, oldest first. Which zone their times are in is not documented; the platform's others are Pacific (unsure).
func (t tracking) shipment(out sla.Shipment) sla.Shipment {
	for _, d := range t.Details {
		at := instant(d.Signed)
		if at.IsZero() {
			at = instant(d.Date)
		}
		milestone, sure := sla.MilestoneFromText(string(d.Text))
		if !sure {
			milestone, _ = sla.MilestoneFromText(string(d.Status))
		}
		out.Events = append(out.Events, sla.Event{At: at, Milestone: milestone, Country: countryOf(d.Address)})
	}
	slices.SortStableFunc(out.Events, func(a, b sla.Event) int { return a.At.Compare(b.At) })
	for _, e := range out.Events {
		if e.Milestone != sla.MilestoneUnknown {
			out.Milestone = e.Milestone
		}
	}
	return out
}
