// Package meter measures how the platforms fare: how long their answers take, how sure their clocks are, what they ask us to wait, and which
// answers are due. From that, and from what the other replicas have measured, it makes each platform's margin and its level of pressure.
//
// It promises that measuring never waits for anything but a lock that is held for moments, that what it keeps is bounded whatever a platform or
// a backlog does, and that what it makes is never laxer than the rules: what nobody has measured counts as a slow platform's. What it keeps is
// in memory. It imports sla only; who leaves what undone under pressure is decided where it is done.
package meter

import (
	"cmp"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"watchkeeper/sla"
)

// Bounds of what is kept.
const (
	dueKept  = 150 * time.Second // a case that is due is looked at each minute: one that no longer is has been answered, here or elsewhere
	mostDue  = 100_000           // cases of a platform: more than that is too much in any case
	heardFor = 2 * time.Minute   // what other replicas said counts for so long when they cannot be heard
)

// A Meter measures. It is safe for concurrent use.
type Meter struct {
	now    func() time.Time
	slots  func(sla.StoreID) int
	views  atomic.Pointer[map[sla.Platform]View]
	mu     sync.Mutex
	of     map[sla.Platform]*platform
	others map[sla.Platform]sla.Measured
	heard  time.Time
}

// A View is what was last made of the measurements of a platform.
type View struct {
	Margin   sla.Margin
	Level    sla.Pressure // that holds
	Shortage sla.Shortage // of the moment when it was made
}

// platform is what is kept of one.
type platform struct {
	answers sla.Recent
	wait    sla.Peak
	skew    sla.Peak
	clocks  map[sla.StoreID]time.Duration // as last read
	keys    map[sla.StoreID]string        // the allowance of each store
	every   map[string]time.Duration      // the time between two calls of each allowance
	due     map[uint32]duty               // by the hash of the case
	strain  sla.Strain
}

// A duty is an answer that is due.
type duty struct {
	store sla.StoreID
	guard time.Time
	seen  time.Time
	until time.Time // it is left alone before
	done  bool      // other replicas may have it as due
}

// New makes a meter of the given platforms. slots is how many answers of a store may be under way at once in this process, 0 for any number; nil:
// any number.
func New(platforms []sla.Platform, slots func(sla.StoreID) int, now func() time.Time) *Meter {
	if slots == nil {
		slots = func(sla.StoreID) int { return 0 }
	}
	m := &Meter{now: now, slots: slots, of: map[sla.Platform]*platform{}}
	for _, p := range platforms {
		m.of[p] = &platform{
			clocks: map[sla.StoreID]time.Duration{}, keys: map[sla.StoreID]string{}, every: map[string]time.Duration{}, due: map[uint32]duty{},
		}
	}
	m.Make()
	return m
}

// with does something to what is kept of a platform; nothing when it is none of the meter's.
func (m *Meter) with(p sla.Platform, do func(*platform)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if of := m.of[p]; of != nil {
		do(of)
	}
}

// Took is how long the reading of a dispute took, and the answer after it where there was one.
func (m *Meter) Took(p sla.Platform, d time.Duration) {
	m.with(p, func(of *platform) { of.answers.Add(m.now(), max(d, 0)) })
}

// Waits is how long a platform asked us to wait.
func (m *Meter) Waits(p sla.Platform, d time.Duration) {
	m.with(p, func(of *platform) { of.wait = of.wait.Seen(m.now(), min(max(d, 0), sla.MostGuard)) })
}

// Due is an answer that is due and not sent, and the last safe moment for it. It is forgotten when it is not said again in time.
func (m *Meter) Due(p sla.Platform, c sla.Case, guard time.Time) {
	m.with(p, func(of *platform) {
		of.say(c.ID, duty{guard: guard, seen: m.now()})
	})
}

// PutOff is until when an answer that is due is left alone: nobody says it again before.
func (m *Meter) PutOff(p sla.Platform, id sla.DisputeID, until time.Time) {
	m.with(p, func(of *platform) {
		if d, known := of.due[hash(id)]; known {
			d.until = until
			of.due[hash(id)] = d
		}
	})
}

// Done is an answer that is no longer due. The other replicas hear of it, too: one of them may have called it due.
func (m *Meter) Done(p sla.Platform, id sla.DisputeID) {
	m.with(p, func(of *platform) { of.say(id, duty{seen: m.now(), done: true}) })
}

func (of *platform) say(id sla.DisputeID, d duty) {
	d.store = id.Store
	if _, known := of.due[hash(id)]; known || len(of.due) < mostDue {
		of.due[hash(id)] = d
	}
}

func hash(id sla.DisputeID) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id.String())) // a hash takes everything
	return h.Sum32()
}

// Allowed is the time between two calls that the allowance of a store permits, and the allowance's name; 0: it has no limit.
func (m *Meter) Allowed(p sla.Platform, store sla.StoreID, name string, every time.Duration) {
	m.with(p, func(of *platform) { of.keys[store], of.every[name] = name, every })
}

// Clock is how far the platform's clock is from ours, as a store that has read it has it now: what counts is by how much that has changed, for each
// store goes by its own. The first reading of a store is no change.
func (m *Meter) Clock(p sla.Platform, store sla.StoreID, skew time.Duration) {
	m.with(p, func(of *platform) {
		if before, known := of.clocks[store]; known {
			of.skew = of.skew.Seen(m.now(), min((skew-before).Abs(), sla.MostGuard))
		}
		of.clocks[store] = skew
	})
}

// Own is what this process has measured.
func (m *Meter) Own() map[sla.Platform]sla.Measured {
	out := m.collected(m.now())
	for _, measured := range out {
		for _, a := range measured.Allowances {
			slices.SortFunc(a.Owed, func(a, b sla.Owed) int { return cmp.Compare(a.Case, b.Case) })
		}
	}
	return out
}

// Note is what this process tells the others: what it has measured, with a sample of what is due where that is much.
func (m *Meter) Note() map[sla.Platform]sla.Measured {
	out := m.Own()
	for p, measured := range out {
		measured.Allowances = sla.Sampled(measured.Allowances)
		out[p] = measured
	}
	return out
}

// Hear takes in what the other replicas have measured, in the place of what they said before.
func (m *Meter) Hear(others map[sla.Platform]sla.Measured) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.others, m.heard = others, now
}

// Make makes the margins and levels anew from everything that is known. They stay as they are until the next call.
func (m *Meter) Make() {
	own, now := m.Own(), m.now()
	others, views := m.believed(now), make(map[sla.Platform]View, len(own))
	for p, measured := range own {
		all := measured.Worse(others[p])
		views[p] = View{Margin: sla.MarginOf(all), Shortage: all.Shortage(now)}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for p, of := range m.of {
		v := views[p]
		of.strain = of.strain.Seen(now, v.Shortage.Level)
		v.Level = of.strain.Level
		views[p] = v
	}
	m.views.Store(&views)
}

// believed is what the other replicas have measured, as long as they are heard.
func (m *Meter) believed(now time.Time) map[sla.Platform]sla.Measured {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.heard) > heardFor {
		m.others = nil
	}
	return m.others
}

// View is what was last made of a platform. It allocates nothing.
func (m *Meter) View(p sla.Platform) View { return (*m.views.Load())[p] }

// Level is the pressure on a platform. It allocates nothing.
func (m *Meter) Level(p sla.Platform) sla.Pressure { return m.View(p).Level }

// Worst is the highest level of all platforms.
func (m *Meter) Worst() sla.Pressure {
	level := sla.PressureNone
	for _, v := range *m.views.Load() {
		level = max(level, v.Level)
	}
	return level
}
