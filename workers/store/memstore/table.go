package memstore

import (
	"container/heap"
	"maps"
	"slices"
	"time"
)

// A row is one record with its timer.
type row[R any] struct {
	record      R
	version     uint32
	fingerprint uint64
	due         int64 // ms; 0: no timer
}

// A table is the records of one class. The heap may hold timers that were moved since: they are dropped when they come up.
type table[R any] struct {
	rows   map[name]row[R]
	timers timers
	seq    uint64
}

func newTable[R any]() table[R] { return table[R]{rows: map[name]row[R]{}} }

func (t *table[R]) clone() table[R] {
	return table[R]{rows: maps.Clone(t.rows), timers: slices.Clone(t.timers), seq: t.seq}
}

type armed struct {
	due int64
	seq uint64 // timers of one instant come up in the order in which they were set
	of  name
}

type timers []armed

func (t timers) Len() int { return len(t) }

func (t timers) Less(i, j int) bool {
	return t[i].due < t[j].due || t[i].due == t[j].due && t[i].seq < t[j].seq
}

func (t timers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }

func (t *timers) Push(a any) { *t = append(*t, a.(armed)) }

func (t *timers) Pop() any {
	old := *t
	last := old[len(old)-1]
	*t = old[:len(old)-1]
	return last
}

// dueMS is the instant of a timer, rounded up, so that nothing is claimed before its time.
func dueMS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) != 0 {
		ms++
	}
	return max(ms, 1)
}

// instant is the inverse of dueMS.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// kept is an instant as a record keeps it.
func kept(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func (t *table[R]) arm(of name, due int64) {
	if due == 0 {
		return
	}
	t.seq++
	heap.Push(&t.timers, armed{due: due, seq: t.seq, of: of})
}

// write stores a record with its timer, if the one that is there has the expected version. A record that is gone is brought back.
func (t *table[R]) write(of name, r row[R], expect uint32) bool {
	old, there := t.rows[of]
	if there && old.version != expect {
		return false
	}
	r.version = expect + 1
	t.rows[of] = r
	if !there || old.due != r.due {
		t.arm(of, r.due)
	}
	return true
}

// rearm moves the timer of a record that has not changed.
func (t *table[R]) rearm(of name, version uint32, due int64) bool {
	old, there := t.rows[of]
	if !there || old.version != version {
		return false
	}
	if old.due != due {
		t.arm(of, due)
	}
	old.due = due
	t.rows[of] = old
	return true
}

// claim takes up to limit records that are due, and looks away from them until the lease ends. give gets each as it was.
func (t *table[R]) claim(now, lease int64, limit int, give func(name, row[R])) {
	for limit > 0 && len(t.timers) > 0 && t.timers[0].due <= now {
		a := heap.Pop(&t.timers).(armed)
		r, there := t.rows[a.of]
		if !there || r.due != a.due {
			continue
		}
		give(a.of, r)
		r.due = lease
		t.rows[a.of] = r
		t.arm(a.of, lease)
		limit--
	}
}
