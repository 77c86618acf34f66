//go:build race

package simulation_test

// worlds is few: one goroutine at a time has no races, and the detector makes it ten times slower.
const worlds = 1
