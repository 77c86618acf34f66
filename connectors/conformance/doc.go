// Package conformance is the suite that each connector passes, over real HTTP: what a status, a broken reply, a lost connection, a bad
// row, a restart in the middle of a walk, a cancelled context and a platform's clock must come to. It also has the fakes that such
// a test needs: a limiter, a token vault and a clock.
//
// It is for tests only. It may import connectors and sla.
package conformance
