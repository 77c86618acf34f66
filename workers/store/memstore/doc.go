// Package memstore is the state of the fleet in memory: what workers/store keeps in Redis, with the same promises and none of the cost, for
// simulations of many lifetimes. A differential test holds the two equal. It is a development package; it may import sla and workers/store.
//
// A World is the server's memory, and a Store one process' handle on it, with all that workers/store remembers in a process: the highest epoch
// and sequence, rows seen unchanged a short while ago, and the kill switches that were heard of. The same operations give the same results.
//
// Where Redis is free to choose, this store chooses the simplest: there is one shard; claims are given strictly in the order of their
// instants, are never more than the limit, and move every timer to the end of the lease (Redis may lease a whole leaf, and then shows the old
// instant until the record is written); nothing expires; the audit and the rejects keep nothing.
package memstore
