package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
)

// The states of a finding.
const (
	stateOK      = "ok"
	stateWarn    = "warn"
	stateFail    = "fail"
	stateUnknown = "unknown"
)

// The headings of findings.
const (
	groupRedis   = "redis"
	groupClocks  = "clocks"
	groupFleet   = "fleet"
	groupStores  = "stores"
	groupRecords = "records"
	groupQueues  = "queues"
)

// groups are the headings in the order of the report.
var groups = []string{groupRedis, groupClocks, groupFleet, groupStores, groupRecords, groupQueues}

// A finding is the result of one check.
type finding struct {
	Group   string `json:"group"`
	Name    string `json:"name"`
	Subject words  `json:"subject"` // which server, platform, store, feed or queue; null where there is one of its kind
	State   string `json:"state"`
	Found   string `json:"found"`
	Do      string `json:"do"`      // empty when all is well
	Allowed bool   `json:"allowed"` // it does not count: --allow
}

// A sheet collects the findings of one group.
type sheet struct {
	group string
	found []finding
}

func (s *sheet) add(name string, subject string, v verdict) {
	s.found = append(s.found, finding{Group: s.group, Name: name, Subject: words(subject), State: v.state, Found: v.found, Do: v.do})
}

// A verdict is what is said of one check.
type verdict struct{ state, found, do string }

func fine(format string, args ...any) verdict {
	return verdict{state: stateOK, found: fmt.Sprintf(format, args...)}
}
func warns(do, format string, args ...any) verdict {
	return verdict{stateWarn, fmt.Sprintf(format, args...), do}
}
func fails(do, format string, args ...any) verdict {
	return verdict{stateFail, fmt.Sprintf(format, args...), do}
}

// untold is the verdict on a check that could not be made.
func untold(err error) verdict {
	return verdict{stateUnknown, "not looked at: " + err.Error(), remedy(err)}
}

// withoutRecords is the verdict on what the records would tell.
var withoutRecords = verdict{stateUnknown, "the records cannot be read", "see shards, under records"}

// remedy is what makes a check possible.
func remedy(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "give it more time with --timeout, or see why there is no answer"
	case errors.Is(err, store.ErrNoRecords):
		return "see whether WK_REDIS__ADDRS and WK_REDIS__DB are the fleet's; if they are, start the fleet: it reads everything again from the platforms"
	case errors.Is(err, store.ErrUnfit), errors.Is(err, store.ErrUnreadable):
		return "use the wkctl of the version that runs"
	}
	if do := fleet.Advice(err); do != "" {
		return do
	}
	return "ask again; if it stays so, see the log of Redis and of the fleet"
}

// limits are from which on a number warns and fails.
type limits[N ~int64 | ~float64] struct{ warn, fail N }

func (l limits[N]) judge(n N, do, found string) verdict {
	switch {
	case n > l.fail:
		return verdict{stateFail, found, do}
	case n > l.warn:
		return verdict{stateWarn, found, do}
	}
	return verdict{state: stateOK, found: found}
}

// skewLimits are how far a clock may be off: at twenty seconds leases and deadlines are no longer what they seem.
var skewLimits = limits[time.Duration]{5 * time.Second, 20 * time.Second}

// judge tells what is wrong, from the facts alone.
func judge(f *facts) []finding {
	var out []finding
	for _, part := range []func(*facts) sheet{judgeRedis, judgeClocks, judgeFleet, judgeStores, judgeRecords, judgeQueues} {
		out = append(out, part(f).found...)
	}
	return out
}

// judgeClocks compares the clocks of Redis and of the platforms with the one here.
func judgeClocks(f *facts) sheet {
	s := sheet{group: groupClocks}
	for _, server := range f.servers.value {
		v := skewVerdict("redis", server.Skew, "")
		if err := errors.Join(server.Err, server.SkewErr); err != nil {
			v = untold(err)
		}
		s.add("redis", server.Addr, v)
	}
	for _, c := range f.clocks {
		switch {
		case c.err != nil:
			s.add("platform", string(c.platform), verdict{stateUnknown, fmt.Sprintf("not asked, or no answer (through %s): %v", c.store, c.err),
				"see whether this machine reaches the platform and the store's credential holds, or leave it out with --offline"})
		default:
			s.add("platform", string(c.platform), skewVerdict(string(c.platform), c.skew, ", as its page for "+string(c.store)+" says"))
		}
	}
	return s
}

func skewVerdict(whose string, skew time.Duration, source string) verdict {
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	found := "the same time as here, to the second" + source
	if skew.Abs() >= time.Second {
		found = fmt.Sprintf("%s is %s %s this machine%s", whose, span(skew.Abs()), way, source)
	}
	return skewLimits.judge(skew.Abs(), "set the clocks with NTP; leases and deadlines are told by them", found)
}
