//go:build race

package simulation_test

// raced tells that the race detector is on. It keeps what it knows of every coroutine that has ended, gigabytes of a world; and one goroutine
// at a time has no races.
const raced = true
