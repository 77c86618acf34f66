// Package store owns all state in Redis: every key, every Lua script, every packed record. Redis is a rebuildable memory: what was seen
// of the platforms, when to look again, and what was sent.
//
// It promises that
//   - a record and its timer change in one step, so that there is never one without the other;
//   - a timer is never claimed early, and not twice within its lease;
//   - only legal moves of an attempt are written, and a late holder is fenced off;
//   - a loss of memory (a flush, a restore, a failover to an older replica) is noticed before anything is sent;
//   - what it cannot read (a newer schema) stays where it is, with its timer, and never stops its neighbours;
//   - each call is one round trip, whatever the number of shards (a claim of more than the shards' fair parts, a loss of memory and a
//     server without the scripts cost one more).
//
// # Layout
//
// Every key starts with "wk:" and, but for wk:meta, carries the hash tag of its shard, so that the same scripts run on one server, under
// Sentinel and on Cluster. Scripts make the names of further keys of their shard from what they read.
//
//	wk:meta                      hash: layout, shards, buckets; fixed at the first start
//	wk:{NN}:epoch                hash: e(poch), s(equence of intents and claims), f(rozen until)
//	wk:{NN}:stores               hash: store → "number platform"; the numbers live and die with the shard's records
//	wk:{NN}:n                    hash: class → number of records
//	wk:{NN}:<class>:<bucket>     hash: packed id → record; class c(ases), s(hipments), f(eeds)
//	wk:{NN}:<class>d             sorted set: leaves of the timer by their start
//	wk:{NN}:<class>d:<start>     sorted set: members due from start on, by milliseconds after it
//	wk:{NN}:l:<member>           hash: the ledger of one case, turn and side → attempt
//	wk:{NN}:rejects, :audit      capped streams
//	wk:{NN}:g:<key>              the limiter's state of one allowance
//	wk:{NN}:t:<store>            hash: a store's sealed credential and its lock
//
// The timer is a tree of two levels: leaves are cut when they grow beyond what Redis keeps in a listpack, and cover at most 2^23 ms, so
// that an entry costs some 20 bytes at any density. (Slots of a fixed width do so only for one density.)
//
// It imports sla only.
package store
