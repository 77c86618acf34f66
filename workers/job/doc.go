// Package job owns the kinds of jobs, their arguments, queues and options, the client that enqueues them, and the mender that takes out of
// the queue what asynq cannot read. It promises that a job is only a hint: identifiers and a schema version, no state and nothing of a
// buyer's; losing, repeating or delaying any of them is harmless. It knows the queue (asynq) and imports sla only; what jobs do is in
// workers/handle.
package job
