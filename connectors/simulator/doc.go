// Package simulator plays the platforms: one AliExpress seller centre for each store and one 17TRACK account, over loopback HTTP in
// their own wire formats, on a virtual clock, from a seed, misbehaving on request. It is for development and tests only.
//
// It owns the month that the platforms live through (buyers who complain, edit, withdraw and call for arbitration; parcels that stick
// in customs), the log of everything that changed, and the judge that reads that log and nothing else. It promises that the same seed
// gives the same month whatever the order of requests, that no fault shows a state the platform never had, and that it never reads
// the real clock. It is written from the platforms' documents and not from our connectors, so that the two can disagree.
//
// It may import sla and connectors, and never a package below connectors.
package simulator
