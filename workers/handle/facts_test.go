package handle_test

import (
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/slatest"
)

// The tracker's thresholds found the parcel stalled; those of the store that sold it, for its carrier and lane, say that it still moves.
func TestThePlaybookArguesWithTheThresholdsOfTheSellingStoreOnTheParcelsLane(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		patience time.Duration
		want     sla.Why
	}{
		"patient":   {30 * 24 * time.Hour, sla.WhyMoving},
		"impatient": {12 * time.Hour, sla.WhyNegotiate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := map[sla.Lane]bool{}
			w := acted(t, moving, func(w *world) {
				ref := w.platform.dispute.Shipments[0]
				p := w.memory.parcels[ref.Key()]
				p.Lane = sla.Lane{Carrier: "190012", Origin: "CN", Dest: "NL"} // where the provider saw it end
				p.Anomalies = sla.AnomalySet(0).With(sla.AnomalyStalled)
				w.memory.parcels[ref.Key()] = p
				w.platform.dispute.Country = "BR"
				w.sold = func(seller, tracker sla.StoreID, l sla.Lane) sla.ShipmentRule {
					r := slatest.ShipmentRule()
					if asked[l] = true; seller == "AE01" && tracker == "T17" && l == (sla.Lane{Carrier: "190012", Origin: "CN", Dest: "BR"}) {
						r.Stall.Value = c.patience
					}
					return r
				}
			})
			sent := w.platform.sent
			if len(sent) == 0 || sent[len(sent)-1].Why != c.want {
				t.Errorf("want an answer because of %v, got %+v after lanes %v", c.want, sent, asked)
			}
		})
	}
}
