// Package simulation plays lifetimes of disputes through the fleet's own handlers, sweeper, poller and intake, in one goroutine at a time and on
// a virtual clock, under every fault that deploy/FAILURES.md lists, and judges the outcome by the platforms' own logs.
//
// A World is one run: some processes of a fleet, their Redis, their queue and the platforms with their buyers. Everything that happens follows from
// its seed: processes are strands that stop at each input or output, and a schedule of events says which goes on when. At such a stop a process may
// die, freeze, or lose its way to Redis or to a platform; what it had asked for may have its effect all the same. The judge holds what
// happened against the invariants I1 to I9 (see Invariant).
//
// It is a development package: it may import the fleet's parts, workers/store and workers/store/memstore, and nothing of the production binary
// imports it.
package simulation
