package track17

import (
	"strings"

	"watchkeeper/sla"
)

// may is a set of milestones that a carrier's text may state in place of the status.
type may uint32

func milestones(list ...sla.Milestone) may {
	var m may
	for _, one := range list {
		m |= 1 << one
	}
	return m
}

func (m may) has(one sla.Milestone) bool { return m&(1<<one) != 0 }

// What a text may add to a status. Never "delivered" where the status does not say so: that costs money when it is wrong.
var (
	anyMove = ^milestones(sla.MilestoneUnknown, sla.MilestoneDelivered, sla.MilestoneReturned, sla.MilestoneExpired)
	// A customs hold has come as Exception_Delayed, a parcel ready to be fetched as Exception_Other [C].
	anyTrouble = milestones(sla.MilestoneCustomsHeld, sla.MilestonePickup, sla.MilestoneDeliveryFailed, sla.MilestoneReturning, sla.MilestoneReturned,
		sla.MilestoneLost, sla.MilestoneDamaged, sla.MilestoneDestroyed, sla.MilestoneCancelled)
	customsNews = milestones(sla.MilestoneCustomsHeld, sla.MilestoneCustomsReleased)
	// Signed for by a station or by the sender comes as delivered too.
	notBuyer = milestones(sla.MilestonePickup, sla.MilestoneReturning, sla.MilestoneReturned, sla.MilestoneDeliveryFailed)
)

// meaning is what a status says in our words.
type meaning struct {
	milestone sla.Milestone
	failure   sla.Failure
	text      may
}

// mainStatuses are the nine main statuses: all that the list tells, and the fallback for a sub-status that nobody has seen yet.
var mainStatuses = map[string]meaning{
	"NotFound":           {milestone: sla.MilestoneUnknown},
	"InfoReceived":       {milestone: sla.MilestonePreTransit},
	"InTransit":          {milestone: sla.MilestoneInTransit, text: anyMove},
	"Expired":            {milestone: sla.MilestoneExpired},
	"AvailableForPickup": {milestone: sla.MilestonePickup},
	"OutForDelivery":     {milestone: sla.MilestoneOutForDelivery},
	"DeliveryFailure":    {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureOther},
	"Delivered":          {milestone: sla.MilestoneDelivered, text: notBuyer},
	"Exception":          {milestone: sla.MilestoneDelayed, text: anyTrouble},
}

// subStatuses are the thirty sub-statuses of the documentation [D22][D24].
var subStatuses = map[string]meaning{
	"NotFound_Other":                        {milestone: sla.MilestoneUnknown},
	"NotFound_InvalidCode":                  {milestone: sla.MilestoneUnknown},
	"InfoReceived":                          {milestone: sla.MilestonePreTransit},
	"InTransit_PickedUp":                    {milestone: sla.MilestoneAccepted},
	"InTransit_Other":                       {milestone: sla.MilestoneInTransit, text: anyMove},
	"InTransit_Departure":                   {milestone: sla.MilestoneExported},
	"InTransit_Arrival":                     {milestone: sla.MilestoneArrived},
	"InTransit_CustomsProcessing":           {milestone: sla.MilestoneCustoms, text: customsNews},
	"InTransit_CustomsReleased":             {milestone: sla.MilestoneCustomsReleased},
	"InTransit_CustomsRequiringInformation": {milestone: sla.MilestoneCustomsHeld},
	"Expired_Other":                         {milestone: sla.MilestoneExpired},
	"AvailableForPickup_Other":              {milestone: sla.MilestonePickup},
	"OutForDelivery_Other":                  {milestone: sla.MilestoneOutForDelivery},
	"DeliveryFailure_Other":                 {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureOther},
	"DeliveryFailure_NoBody":                {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureNobody},
	"DeliveryFailure_Security":              {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureSecurity},
	"DeliveryFailure_Rejected":              {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureRejected},
	"DeliveryFailure_InvalidAddress":        {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureAddress},
	"Delivered_Other":                       {milestone: sla.MilestoneDelivered, text: notBuyer},
	"Exception_Other":                       {milestone: sla.MilestoneDelayed, text: anyTrouble},
	"Exception_Returning":                   {milestone: sla.MilestoneReturning},
	"Exception_Returned":                    {milestone: sla.MilestoneReturned},
	"Exception_NoBody":                      {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureNobody},
	"Exception_Security":                    {milestone: sla.MilestoneCustomsHeld, failure: sla.FailureSecurity},
	"Exception_Damage":                      {milestone: sla.MilestoneDamaged},
	"Exception_Rejected":                    {milestone: sla.MilestoneDeliveryFailed, failure: sla.FailureRejected},
	"Exception_Delayed":                     {milestone: sla.MilestoneDelayed, text: anyTrouble},
	"Exception_Lost":                        {milestone: sla.MilestoneLost},
	"Exception_Destroyed":                   {milestone: sla.MilestoneDestroyed},
	"Exception_Cancel":                      {milestone: sla.MilestoneCancelled},
}

// keyStages are the nine stages that an event or the milestone list can carry [D22].
var keyStages = map[string]sla.Milestone{
	"InfoReceived": sla.MilestonePreTransit, "PickedUp": sla.MilestoneAccepted, "Departure": sla.MilestoneExported, "Arrival": sla.MilestoneArrived,
	"AvailableForPickup": sla.MilestonePickup, "OutForDelivery": sla.MilestoneOutForDelivery, "Delivered": sla.MilestoneDelivered,
	"Returning": sla.MilestoneReturning, "Returned": sla.MilestoneReturned,
}

// statusMeaning reads a sub-status, or a main status where the sub-status is missing or unknown.
func statusMeaning(main, sub string) meaning {
	if m, ok := subStatuses[sub]; ok {
		return m
	}
	if main == "" {
		main, _, _ = strings.Cut(sub, "_")
	}
	return mainStatuses[main]
}

// refined lets a carrier's text correct a status as far as the status allows.
func (m meaning) refined(text string) meaning {
	if m.text == 0 || text == "" {
		return m
	}
	said, sure := sla.MilestoneFromText(text)
	if !sure || said == m.milestone || !m.text.has(said) {
		return m
	}
	out := meaning{milestone: said}
	if said == sla.MilestoneDeliveryFailed {
		out.failure = sla.FailureOther
	}
	return out
}
