package playbook

import (
	"fmt"

	"watchkeeper/sla"
)

// Text is what the buyer reads with an answer: plain English, the parcel's facts, nothing of the buyer's own.
func Text(why sla.Why, f Facts) string {
	switch why {
	case sla.WhyMoving:
		return fmt.Sprintf("Your parcel %s is on its way: the carrier's latest scan is of %s (%s). Please allow the "+
			"delivery some more time; we follow it every day and will help if it does not arrive.", f.number(), f.day(), f.status())
	case sla.WhyDelivered:
		return fmt.Sprintf("The carrier reports parcel %s as delivered on %s. Please look with your neighbours, at the reception or at the "+
			"pick-up point, and ask the carrier for the proof of delivery with this number.", f.number(), f.day())
	case sla.WhyRule:
		return "We have looked into your claim and cannot agree to it on what we know today. If you have more to show, a photo for example, please " +
			"add it, and we will look at it again."
	case sla.WhyNegotiate:
		return "We are sorry that the order is not what you expected. We offer this partial refund, and you keep the goods."
	}
	return ""
}

func (f Facts) number() string {
	if f.Parcel == nil {
		return "of your order"
	}
	return f.Parcel.Ref.Number
}

func (f Facts) status() string {
	if f.Parcel == nil {
		return sla.MilestoneUnknown.String()
	}
	return f.Parcel.Milestone.String()
}

func (f Facts) day() string {
	if f.Parcel == nil || f.Parcel.LastEvent.IsZero() {
		return "an unknown day"
	}
	return f.Parcel.LastEvent.UTC().Format("2 January 2006")
}
