package sweep

import (
	"time"

	"watchkeeper/sla"
)

// Unknown reports whether nobody knows what became of an attempt, and whether that lasts for longer than the settle window and two sweeps: then
// what should learn it does not work, and a person must look.
func Unknown(a sla.Attempt, now time.Time, settle time.Duration) (unknown, late bool) {
	unknown = a.State == sla.AttemptUnknown || a.State == sla.AttemptSent && a.Lease.Before(now)
	return unknown, unknown && now.Sub(a.SentAt) > settle+2*Lease
}
