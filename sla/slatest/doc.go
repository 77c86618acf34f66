// Package slatest builds values of package sla for tests: a whole, ordinary value that a test then changes in the one point it is
// about.
//
// It promises that every builder gives the same value each time and that nothing in it depends on the clock. Tests only; it may import
// sla, and nothing else of ours.
package slatest

import "time"

// Epoch is the instant that built values are arranged around.
var Epoch = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)
