// Package easypost follows parcels through EasyPost's tracker API: one feed of all recent trackers, reads by number, and registration.
// It is a tracker only; EasyPost knows no disputes.
//
// It promises that a complete walk of the feed shows every tracker of the last ninety days in its present state, whatever restarts
// in between, and that a value it has never seen is kept in Shipment.Status and never guessed. What EasyPost does not say in any code,
// above all customs, is read from the carrier's text by sla.MilestoneFromText; the text itself is not kept. It may import connectors,
// connectors/transport and sla.
package easypost
