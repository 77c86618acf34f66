// Package trace makes the spans of OpenTelemetry and sends them to a collector by OTLP over HTTP, when the standard OTEL_ variables name one. A nil
// Tracer makes none and costs nothing.
//
// A case waits for days between the first sight of it and its answer, its jobs are hints that may be lost, and any process may do the next step. So
// what joins the spans is no header: the identity of a trace is a hash of the dispute and its turn (Of), and whoever works on a turn finds it, also
// when a sweep found the case again. Headers of jobs carry the parent alone. A sampler that goes by the trace's identity decides alike in all
// processes. The hash is not keyed: its spans name the dispute, as the log does, and nobody else is told of it; no request to a platform carries it.
//
// It promises that no span holds a secret, a buyer's words or an error's text: what is told of a step is of closed lists, beside the ids of stores,
// feeds and disputes, which pass the redactor as they do on their way to the log. And it promises that a collector that is slow, dead or wrong costs
// spans and nothing else: they wait in a bounded queue, and those for which there is no room are dropped and counted.
//
// It reads no environment by itself and no clock. It may import sla and connectors.
package trace
