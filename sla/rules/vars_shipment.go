package rules

import (
	"time"

	"watchkeeper/sla"
)

func newParcelDesk() *desk[sla.ShipmentRule] {
	return newDesk(sla.DefaultShipmentRule(), func(r *sla.ShipmentRule) []setting {
		silence := duration(time.Hour, 120*day)
		f := parcelFields(r)
		return []setting{
			bind("NO_SCAN", f[0], silence, "5d", "A parcel announced this long ago without any scan is an anomaly."),
			bind("STALL_ORIGIN", f[1], silence, "14d", "No scan for this long while still in the sender's country is an anomaly."),
			bind("STALL", f[2], silence, "12d", "No scan for this long after leaving the sender's country is an anomaly."),
			bind("CUSTOMS", f[3], silence, "7d", "In clearance without a scan for this long is an anomaly."),
			bind("PICKUP", f[4], silence, "3d", "Waiting for the buyer to fetch it for this long is an anomaly."),
			bind("RECHECK", f[5], duration(time.Minute, week), "12h", "How often a parcel is looked at when its provider says nothing new."),
		}
	})
}

// parcelFields lists the fields in the order of their settings: a lookup writes them by number and allocates nothing.
func parcelFields(r *sla.ShipmentRule) [6]*sla.Sourced[time.Duration] {
	return [...]*sla.Sourced[time.Duration]{&r.NoScan, &r.StallOrigin, &r.Stall, &r.Customs, &r.Pickup, &r.Recheck}
}
