package easypost

import (
	"strings"

	"watchkeeper/sla"
)

// The words of EasyPost that the code branches on.
const (
	unknown      = "unknown"
	preTransit   = "pre_transit"
	inTransit    = "in_transit"
	delivered    = "delivered"
	awaitsPickup = "available_for_pickup"
	toSender     = "return_to_sender"
	failed       = "failure"
	cancelled    = "cancelled"
	inError      = "error"
	expired      = "expired"
)

// A word is what a status or a detail states. An unclear one leaves the last word to the carrier's text, as far as that is believable.
type word struct {
	milestone sla.Milestone
	failure   sla.Failure
	unclear   bool
}

// statuses are the ten values of status. "error" is trouble between EasyPost and the carrier and says nothing of the parcel.
var statuses = map[string]word{
	unknown:            {sla.MilestoneUnknown, sla.FailureNone, true},
	preTransit:         {sla.MilestonePreTransit, sla.FailureNone, false},
	inTransit:          {sla.MilestoneInTransit, sla.FailureNone, true},
	"out_for_delivery": {sla.MilestoneOutForDelivery, sla.FailureNone, false},
	delivered:          {sla.MilestoneDelivered, sla.FailureNone, false},
	awaitsPickup:       {sla.MilestonePickup, sla.FailureNone, false},
	toSender:           {sla.MilestoneReturning, sla.FailureNone, true},
	failed:             {sla.MilestoneDeliveryFailed, sla.FailureOther, true},
	cancelled:          {sla.MilestoneCancelled, sla.FailureNone, false},
	inError:            {sla.MilestoneUnknown, sla.FailureNone, false},
}

// details are the values of status_detail that say more than the status; the others (status_update, unknown, in_transit, the facilities on
// the way) leave it as it is. held, awaiting_information and the exceptions are customs only where the text says so.
var details = map[string]word{
	"label_created":                      {sla.MilestonePreTransit, sla.FailureNone, false},
	"received_at_origin_facility":        {sla.MilestoneAccepted, sla.FailureNone, false},
	"departed_origin_facility":           {sla.MilestoneOriginTransit, sla.FailureNone, false},
	"transferred_to_destination_carrier": {sla.MilestoneArrived, sla.FailureNone, false},
	"received_at_destination_facility":   {sla.MilestoneArrived, sla.FailureNone, false},
	"arrived_at_destination":             {sla.MilestoneArrived, sla.FailureNone, false},
	"out_for_delivery":                   {sla.MilestoneOutForDelivery, sla.FailureNone, false},
	"arrived_at_pickup_location":         {sla.MilestonePickup, sla.FailureNone, false},
	"held":                               {sla.MilestoneDelayed, sla.FailureNone, true},
	"awaiting_information":               {sla.MilestoneDelayed, sla.FailureNone, true},
	"delayed":                            {sla.MilestoneDelayed, sla.FailureNone, true},
	"weather_delay":                      {sla.MilestoneDelayed, sla.FailureNone, false},
	"missorted":                          {sla.MilestoneDelayed, sla.FailureNone, false},
	"transit_exception":                  {sla.MilestoneDelayed, sla.FailureNone, true},
	"delivery_exception":                 {sla.MilestoneDeliveryFailed, sla.FailureOther, true},
	"address_correction":                 {sla.MilestoneDeliveryFailed, sla.FailureAddress, false},
	"refused":                            {sla.MilestoneDeliveryFailed, sla.FailureRejected, false},
	"return":                             {sla.MilestoneReturning, sla.FailureNone, true},
	"lost":                               {sla.MilestoneLost, sla.FailureNone, false},
	"damaged":                            {sla.MilestoneDamaged, sla.FailureNone, false},
	cancelled:                            {sla.MilestoneCancelled, sla.FailureNone, false},
	expired:                              {sla.MilestoneExpired, sla.FailureNone, false},
	failed:                               {sla.MilestoneDeliveryFailed, sla.FailureOther, true},
}

// meaning is the milestone of a scan or of a whole tracker, and why a delivery failed.
func meaning(status, statusDetail, text string) (sla.Milestone, sla.Failure) {
	w := combine(status, statusDetail)
	if !w.unclear {
		return w.milestone, w.failure
	}
	m, ok := sla.MilestoneFromText(text)
	switch {
	case !ok || !believable(status, m):
		m = w.milestone
	case m == sla.MilestoneCustoms && (status == failed || stops(statusDetail)):
		return sla.MilestoneCustomsHeld, sla.FailureNone // the code says stopped, the text says where
	case m == sla.MilestoneInTransit && w.milestone != sla.MilestoneUnknown:
		m = w.milestone // a text that only says that it moves says less than the code
	}
	if m != sla.MilestoneDeliveryFailed {
		return m, sla.FailureNone
	}
	return m, cause(max(w.failure, sla.FailureOther), text)
}

// combine joins the two words. The detail says more, unless it contradicts the status: a delivered parcel with the detail "delayed" is
// delivered, and one on its way back does not turn round because it is "refused" too.
func combine(status, statusDetail string) word {
	s, known := statuses[status]
	if !known {
		s.unclear = true // a new status of EasyPost's: the text may know it
	}
	d, told := details[statusDetail]
	switch {
	case !told, status == delivered, status == cancelled, status == inError:
		return s
	case status == toSender && d.milestone != sla.MilestoneReturning && d.milestone != sla.MilestoneExpired:
		return s
	case moves(d.milestone) && (status == inTransit && d.milestone == sla.MilestonePreTransit || !early(status)):
		return s
	case d.milestone == sla.MilestoneDelayed && (status == failed || status == awaitsPickup):
		return s
	}
	return d
}

// early are the statuses within which a detail of plain movement tells more.
func early(status string) bool {
	_, known := statuses[status]
	return !known || status == unknown || status == preTransit || status == inTransit
}

// moves are the milestones of plain movement.
func moves(m sla.Milestone) bool {
	switch m {
	case sla.MilestonePreTransit, sla.MilestoneAccepted, sla.MilestoneOriginTransit, sla.MilestoneArrived, sla.MilestoneOutForDelivery, sla.MilestonePickup:
		return true
	}
	return false
}

// believable keeps a text from contradicting the status: words like "delivered to the local post office" or "time was lost" are in the
// texts of parcels under way, and an end of the journey is what EasyPost does have codes for.
func believable(status string, m sla.Milestone) bool {
	switch status {
	case inTransit:
		return !m.Final() && m != sla.MilestonePreTransit && m != sla.MilestoneExpired
	case toSender:
		return m == sla.MilestoneReturned || m == sla.MilestoneDestroyed || m == sla.MilestoneLost
	case failed:
		return m != sla.MilestoneDelivered && m != sla.MilestonePreTransit && m != sla.MilestoneInTransit
	}
	return m != sla.MilestoneDelivered && m != sla.MilestoneReturned
}

// stops are the details that say that a parcel stands still.
func stops(statusDetail string) bool {
	switch statusDetail {
	case "held", "awaiting_information", "transit_exception", "delivery_exception", failed:
		return true
	}
	return false
}

// causes are the words by which carriers tell why they could not deliver, most telling first.
var causes = []struct {
	words   string
	failure sla.Failure
}{
	{"refused", sla.FailureRejected},
	{"address", sla.FailureAddress},
	{"addressee unknown", sla.FailureAddress},
	{"no such number", sla.FailureAddress},
	{"customs", sla.FailureSecurity},
	{"no access", sla.FailureNobody},
	{"not available", sla.FailureNobody},
	{"not home", sla.FailureNobody},
	{"no one", sla.FailureNobody},
	{"nobody", sla.FailureNobody},
	{"business closed", sla.FailureNobody},
	{"notice left", sla.FailureNobody},
}

// cause reads why a delivery failed; the code's own reason stands unless it is none.
func cause(told sla.Failure, text string) sla.Failure {
	if told != sla.FailureOther {
		return told
	}
	text = strings.ToLower(text)
	for _, c := range causes {
		if strings.Contains(text, c.words) {
			return c.failure
		}
	}
	return told
}

// text is the carrier's words: the message, or the longer description where the message states nothing.
func (d detail) text() string {
	if _, ok := sla.MilestoneFromText(d.Message); ok || d.Description == "" {
		return d.Message
	}
	if _, ok := sla.MilestoneFromText(d.Description); ok {
		return d.Description
	}
	return d.Message + " " + d.Description
}
