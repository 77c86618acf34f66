// Package store owns all state in Redis: every key, every Lua script, every packed record. Redis is a rebuildable memory: what was seen
// of the platforms, when to look again, and what was sent.
//
// It promises that
//   - a record and its timer change in one step, so that there is never one without the other;
//   - a timer is never claimed early, and not twice within its lease;
//   - only legal moves of an attempt are written, and a late holder is fenced off;
//   - no budget is exceeded by one minor unit, whatever runs at the same time; what a loss of memory made unknown counts as spent;
//   - a kill switch holds for every intent after the call that throws it;
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
//	wk:{NN}:epoch                hash: e(poch), s(equence of claims and intents), f(rozen until), l(ooked at),
//	                             o (when memory was lost last), p and a process → the sequence it was told last,
//	                             x (the highest that one of the processes was told whose p is forgotten),
//	                             r (the server it was on last, its run_id), w (until when that one sends nothing, by its clock in µs)
//	wk:{NN}:stores               hash: store → "number platform"; the numbers live and die with the shard's records
//	wk:{NN}:n                    hash: class → number of records
//	wk:{NN}:<class>:<bucket>     hash: packed id → record; class c(ases), s(hipments), f(eeds)
//	wk:{NN}:<class>d             sorted set: leaves of the timer, by their earliest instant or before it
//	wk:{NN}:<class>d:<leaf>      hash: member (bucket and packed id) → the low bytes of its instant
//	wk:{NN}:l:<member>           hash: the ledger of one case, turn and side → attempt
//	wk:{NN}:rejects, :audit      capped streams
//	wk:{NN}:kill                 hash: scope → kill switch; the same in every shard, so that an intent is refused in its own step
//	wk:{NN}:b:<period>:<bucket>  hash: buyer → the disputes opened in the period, of 30 days
//	wk:{00}:mc:<dispute>         hash: turn and side → what was reserved for it. All money is in the first shard, because budgets span
//	                             disputes, and a script cannot span shards
//	wk:{00}:mb:<buyer>           hash: dispute, turn and side → the same, for the sum over a buyer
//	wk:{00}:md:<day>             hash: store and currency, or currency alone → what was reserved that day, UTC
//	wk:{00}:ms                   sorted set: when each answer that pays was reserved
//	wk:{NN}:g:<key>, :h:<key>    the limiter's state of one allowance; that of a share of it, and until when one waits
//	wk:{NN}:t:<store>            hash: a store's sealed credential and its lock
//	wk:{00}:alive                hash: process (4 bytes) → how often it has beaten, or who found it gone and when (presence.go)
//	wk:{00}:rules, :obeyed       hash: process → its rules; the rules under which the open cases are armed
//	wk:{00}:behind               hash: store → the least that its platform was ahead of our clocks since they were, in ms
//	wk:{00}:measured, :paged     hash: process → what it measured of the platforms; platform → when people were told that time is short (negative: it no longer is)
//
// Buckets, leaves and members are bytes, not text. The timer has two levels: a leaf covers a power of two of milliseconds, and the record
// keeps that width, so that the place of an entry follows from the record alone and moving it needs no search. The width is chosen for
// each timer by its distance and the number of records, so that leaves stay listpacks of some dozen entries whether a thousand cases are
// spread over months or a million over hours: some 25 bytes an entry at any density. (Slots of one fixed width do so for one density
// only.) A leaf whose span is over is leased as a whole: only its place in the index moves. Other leases live in leaves of one millisecond.
//
// # A process that is gone
//
// A lease outlives its holder: without more a killed process would leave what it held for a minute. So each process beats twice a second,
// and one whose beats stand still for two seconds, by the clock of whoever watches without a gap, is marked as gone. From then on nobody
// respects its claims of attempts (a slot names the process that wrote it), and whoever marked it ends the leases of all timers that were
// leased by then, whosever they are: they do not say whose, deaths are rare, and work that is asked for twice is done once. So do timers of cases
// that were due when they were written down, and whose work was asked for at once. A list that is being read says by whom, and is left to the living.
//
// Who is taken for gone may only be slow, and come back. Nothing depends on its death: its claim has a newer token, so that it can neither
// record an intent nor settle; and if its intent was recorded, the attempt is unknown and not free, so that its successor reads the platform
// until the effect is there or has been absent for so long that nothing of it can still be on the way.
//
// # An inspection
//
// Whoever looks what is wrong with an installation (inspect.go) must not heal or hurt it by looking: an Inspection opens no epoch, gives no
// numbers, runs no script on records, and goes over all of them in pages of a few milliseconds. What it finds amiss it reads a second time,
// because the fleet goes on meanwhile.
//
// A million open cases take some 115 bytes each, timer included; a million shipments some 95, of which 17 describe and the rest are
// identity, fingerprint and next look.
//
// It imports sla only.
package store
