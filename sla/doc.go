// Package sla holds the domain of Watchkeeper and the pure functions on it: what a dispute and a shipment are, when the seller
// must have answered (Timeline), what to do now (Decide), and what is wrong with a parcel (Detect).
//
// It owns the words of the program: platform, store, dispute, obligation, turn, stage, case, answer, shipment, milestone,
// anomaly, rule. It promises that every function is a function of its arguments: no clock, no I/O, no logger, no randomness.
// It imports nothing of ours but sla/calendar (when that exists); everything else imports it.
package sla
