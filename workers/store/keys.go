package store

import (
	"strconv"

	"github.com/cespare/xxhash/v2"

	"watchkeeper/sla"
)

const (
	prefix     = "wk:"
	metaKey    = prefix + "meta"
	layoutNow  = 2
	maxShards  = 256 // two hex digits
	bucketsNow = 4096
)

// A class is one kind of record; all share one mechanism.
type class byte

const (
	classCase     class = 'c'
	classShipment class = 's'
	classFeed     class = 'f'
)

// classes lists them in the order of their counters.
var classes = [3]class{classCase, classShipment, classFeed}

// index is the place of a class in classes.
func (c class) index() int {
	for i, other := range classes {
		if c == other {
			return i
		}
	}
	return 0
}

// shardKeys are the fixed names of a shard's keys.
type shardKeys struct {
	prefix, epoch, stores, counts, rejects, audit, kill, rules, obeyed, behind, measured, paged, alive string
}

func newShardKeys(shard int) shardKeys {
	const hex = "0123456789abcdef"
	p := prefix + "{" + string([]byte{hex[shard>>4], hex[shard&15]}) + "}:"
	return shardKeys{
		prefix: p, epoch: p + "epoch", stores: p + "stores", counts: p + "n", rejects: p + "rejects", audit: p + "audit", kill: p + "kill",
		rules: p + "rules", obeyed: p + "obeyed", behind: p + "behind", measured: p + "measured", paged: p + "paged", alive: p + "alive",
	}
}

// bucket ends in two bytes, as members begin.
func (k shardKeys) bucket(c class, bucket uint16) string {
	return k.prefix + string([]byte{byte(c), ':', byte(bucket >> 8), byte(bucket)})
}

func (k shardKeys) index(c class) string        { return k.prefix + string(c) + "d" }
func (k shardKeys) ledger(member []byte) string { return k.prefix + "l:" + string(member) }
func (k shardKeys) limit(key string) string     { return k.prefix + "g:" + key }
func (k shardKeys) shareOf(key string) string   { return k.prefix + "h:" + key }
func (k shardKeys) vault(id sla.StoreID) string { return k.prefix + "t:" + string(id) }

// claims holds the claims of some buyers in one period.
func (k shardKeys) claims(period int64, bucket uint16) string {
	return k.prefix + "b:" + strconv.FormatInt(period, 10) + ":" + string([]byte{byte(bucket >> 8), byte(bucket)})
}

// money is where the names of what was spent begin.
func (k shardKeys) money() string { return k.prefix + "m" }

// A place is where an item lives.
type place struct {
	shard  int
	bucket uint16
	hash   uint64
}

// locate hashes an item to its place. Feeds share one bucket, because they are few and are listed.
func (s *Store) locate(c class, id ident) place {
	var scratch [96]byte
	b := append(append(scratch[:0], id.store...), 0)
	h := xxhash.Sum64(append(b, id.native...))
	at := place{shard: int(h % uint64(s.shards)), hash: h}
	if c != classFeed {
		at.bucket = uint16((h >> 32) % uint64(s.buckets))
	}
	return at
}

// shardOf places what has a name only.
func (s *Store) shardOf(name string) int { return int(xxhash.Sum64String(name) % uint64(s.shards)) }
