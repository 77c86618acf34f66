package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/poll"
	"watchkeeper/workers/store"
)

// judgeFleet looks at the configuration here, the processes, their rules and the kill switches.
func judgeFleet(f *facts) sheet {
	s := sheet{group: groupFleet}
	s.add("configuration", "", judgeConfiguration(f))
	for _, m := range f.mistakes {
		found := strings.TrimLeft(strings.TrimPrefix(m.text(), string(m.Variable)), "=: ")
		s.add(mistake, string(m.Variable), fails("set it right here, and see that the daemons have it right", "%s", found))
	}
	s.add("pages", "", judgePages(f))
	s.add("traces", "", judgeTraces(f))
	for _, text := range f.strayed {
		s.add("trace variable", variableName.FindString(text), warns(traceVariables, "%s", text))
	}
	s.add("processes", "", recordsOr(f, f.processes, judgeProcesses))
	s.add("rules", "", recordsOr(f, f.books, func(books map[string]int) verdict { return judgeRules(f, books) }))
	kills := f.kills
	if errors.Is(kills.err, store.ErrUnreadable) {
		s.add("kill switch", "", warns("use the wkctl of the version that wrote it", "one is on that this version cannot read: it stops every answer that it may mean"))
		kills.err = nil
	}
	if f.unread != nil || kills.err != nil {
		s.add("kill switch", "", recordsOr(f, kills, func([]sla.KillSwitch) verdict { return verdict{} }))
	}
	for _, k := range kills.value {
		s.add("kill switch", scopeText(k.KillScope), warns("wkctl kill-switch off --scope "+scopeText(k.KillScope)+" --note TEXT, when its reason is over",
			"on since %s: %s", instant{k.Since}, k.Note))
	}
	for _, k := range f.stopped {
		s.add("kill switch", k.where(), warns("take the variable back when its reason is over", "%s says so", k.From))
	}
	if !slices.ContainsFunc(s.found, func(f finding) bool { return f.Name == "kill switch" }) {
		s.add("kill switch", "", fine("none is on"))
	}
	return s
}

// recordsOr judges an answer, or says why there is none.
func recordsOr[T any](f *facts, t told[T], judge func(T) verdict) verdict {
	switch {
	case f.unread != nil:
		return withoutRecords
	case t.err != nil:
		return untold(t.err)
	}
	return judge(t.value)
}

// mistake is the name of a finding that is one mistake of the configuration.
const mistake = "mistake"

func judgeConfiguration(f *facts) verdict {
	const do = "mend what is listed next; wkctl config check tells when all is well"
	switch {
	case f.bare:
		return fails(do, "%s in the variables here; the rules are left out below", counted(len(f.mistakes), "mistake"))
	case len(f.mistakes) > 0:
		return fails(do, "%s in the variables here: a store cannot be built", counted(len(f.mistakes), "mistake"))
	case len(f.stores) == 0:
		return verdict{stateUnknown, "no store is configured here: what should be there is not known", "run it with the environment of the daemons"}
	}
	return fine("%s, rules %s", counted(len(f.stores), "store"), f.hash)
}

func judgePages(f *facts) verdict {
	switch {
	case !f.hooked && len(f.mistakes) > 0:
		return verdict{stateUnknown, "no webhook is known of, and a mistake above may hide one", "mend the mistakes first"}
	case !f.hooked:
		return warns("set WK_NOTIFY__PAGE_URL_FILE, or see that the alert PersonNeeded reaches somebody", "no webhook is told of a page")
	}
	return fine("they are posted to a webhook")
}

const traceVariables = "deploy/README.md has the variables under \"Traces\""

// judgeTraces only ever warns: no answer waits for a collector.
func judgeTraces(f *facts) verdict {
	switch {
	case f.untaken != nil:
		return warns("see whether the collector runs, speaks OTLP over HTTP at that address and lets this machine in: its spans are lost; "+traceVariables,
			"the collector takes no spans: %v", f.untaken)
	case !f.traced:
		return fine("off: nothing is traced")
	}
	return fine("the collector takes an empty batch")
}

func judgeProcesses(p presence) verdict {
	found := fmt.Sprintf("%d beat, %d are silent, %d stopped without a word in the last ten minutes", p.beating, p.silent, p.gone)
	switch {
	case p.beating == 0:
		return fails("start the fleet: nobody is on watch", "%s", found)
	case p.silent+p.gone > 0:
		return warns("see why they stopped; their work was taken up", "%s", found)
	case p.beating == 1:
		return warns("run two or more, so that one may be lost", "only one process is on watch")
	}
	return fine("%d processes beat", p.beating)
}

// judgeRules compares what the replicas obey with each other and with the rules here.
func judgeRules(f *facts, books map[string]int) verdict {
	hashes := slices.Sorted(maps.Keys(books))
	var each []string
	for _, h := range hashes {
		each = append(each, fmt.Sprintf("%s in %d", h, books[h]))
	}
	switch {
	case len(hashes) > 1:
		return fails("if a rollout is under way, ask again in two minutes; if not, start the processes with the other variables anew",
			"processes obey different rules: %s", strings.Join(each, ", "))
	case len(hashes) == 0:
		if f.processes.value.beating > 0 {
			return warns("ask again in a minute: processes say it again within it when Redis has lost its memory", "no process has said yet which rules it obeys")
		}
		return fails("start the fleet", "no process has said which rules it obeys")
	case len(f.stores) == 0 || f.bare:
		return fine("%s", strings.Join(each, ", "))
	case hashes[0] != f.hash:
		return warns("wkctl config diff shows what differs; roll out the one that is meant", "the processes obey %s, the variables here say %s", hashes[0], f.hash)
	}
	return fine("all obey %s, as the variables here say", hashes[0])
}

// judgeStores looks at the credentials, the feeds, and at stores that are recorded and not configured.
func judgeStores(f *facts) sheet {
	s := sheet{group: groupStores}
	for _, t := range f.tokens {
		s.add("token", string(t.store), judgeToken(f.at, t))
	}
	if f.unread != nil || f.feeds.err != nil {
		s.add("feeds", "", recordsOr(f, f.feeds, func([]sla.FeedRecord) verdict { return verdict{} }))
		return s
	}
	read := map[string]sla.FeedRecord{}
	for _, r := range f.feeds.value {
		read[r.ID] = r
	}
	for _, p := range f.planned {
		r, known := read[p.ID]
		s.add("feed", p.ID, judgeFeed(f.at, p.Every, r, known))
	}
	strangers := judgeStrangers(f)
	switch err := cmp.Or(f.cases.err, f.parcels.err); {
	case len(f.stores) == 0:
	case err != nil:
		s.add("recorded", "", untold(err))
	case len(strangers) == 0:
		s.add("recorded", "", fine("nothing on record is of a store that is not configured"))
	}
	s.found = append(s.found, strangers...)
	return s
}

// soonShare is the part of a credential's life in which it should have been renewed, soon the time when nothing is known of its life.
const (
	soonShare = 5
	soon      = 24 * time.Hour
)

func judgeToken(now time.Time, t tokenFact) verdict {
	switch {
	case t.err != nil:
		return untold(t.err)
	case t.Sealed:
		return fails("put the key that sealed it into WK_VAULT__KEY_FILE again, below the first line; if it is lost, authorise the store anew",
			"it is stored, and no key of this environment opens it")
	}
	const renew, authorise = "see why it is not renewed: the log has \"token\"", "authorise the store anew, and set its ACCESS_TOKEN and REFRESH_TOKEN"
	found, do := "", renew
	if !t.Stored {
		found = "the configured one, none is stored yet; "
	}
	if !t.Renewable {
		do = authorise
	}
	access := judgeExpiry(now, t.Issued, t.Expires, !t.Renewable, found+"it", do)
	refresh := judgeExpiry(now, t.Issued, t.RefreshExpires, true, "the right to renew it", authorise)
	switch {
	case access.state == stateFail || refresh.state == stateOK || t.RefreshExpires.IsZero():
		return access
	case access.state == stateOK || refresh.state == stateFail:
		return refresh
	}
	return access
}

// judgeExpiry judges one end. What is renewed by itself is not in danger a day before; it is when it was not renewed in four fifths of its life.
func judgeExpiry(now, issued, expires time.Time, byHand bool, what, do string) verdict {
	left := expires.Sub(now)
	lived := !issued.IsZero() && issued.Before(expires)
	switch {
	case expires.IsZero():
		return fine("%s has no end that is told", what)
	case left <= 0:
		return fails(do, "%s ended %s ago, at %s", what, span(-left), instant{expires})
	case lived && left < expires.Sub(issued)/soonShare, left < soon && (byHand || !lived):
		return warns(do, "%s ends in %s, at %s", what, span(left), instant{expires})
	}
	return fine("%s holds for %s", what, span(left))
}

// judgeFeed compares the age of a reading with how often the feed is read.
func judgeFeed(now time.Time, every time.Duration, r sla.FeedRecord, known bool) verdict {
	const do = "see \"feed not read\" in the log for why"
	age := now.Sub(r.LastSuccess)
	found := fmt.Sprintf("read to its end %s ago, every %s", span(age), rules.FormatDuration(every))
	if r.Failures > 0 {
		found += fmt.Sprintf(", %s in a row", counted(int(r.Failures), "failure"))
	}
	switch {
	case !known:
		return fails("start the fleet with this store", "it is configured, and no process has ever read it")
	case r.Strikes > 2: // one may be of a reading that goes on, and one of a process that was killed
		return fails("see in the logs what ended the processes: its list may do so to each that reads it",
			"its last %d readings did not come to their ends", r.Strikes)
	case r.LastSuccess.IsZero() && r.Failures > 0:
		return fails(do, "never read to its end, %s in a row", counted(int(r.Failures), "failure"))
	case r.LastSuccess.IsZero():
		return warns("ask again in a minute; if it stays so, see whether a process has this store", "not read yet")
	case age > 4*every+poll.Lease:
		return fails(do, "%s", found)
	case age > 2*every+poll.Lease || r.Failures > 0:
		return warns(do, "%s", found)
	}
	return fine("%s", found)
}

// judgeStrangers tells of stores and platforms on record that the configuration does not name.
func judgeStrangers(f *facts) []finding {
	s := sheet{group: groupStores}
	if len(f.stores) == 0 {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(f.recorded)) {
		platform, configured := f.stores[id]
		records := f.cases.value.Stores[id] + f.parcels.value.Stores[id]
		switch {
		case !slices.Contains(f.platforms, f.recorded[id]):
			s.add("recorded", string(id), warns("use the version that knows it", "its platform %s is not known to this version", f.recorded[id]))
		case configured && platform != f.recorded[id]:
			s.add("recorded", string(id), fails("give the store another name: the fleet does not start", "on record as %s, configured as %s", f.recorded[id], platform))
		case !configured && records > 0:
			s.add("recorded", string(id), warns("configure it until its cases are closed, or close them by hand: nobody answers them",
				"not configured here, with %d cases and parcels on record", records))
		}
	}
	for _, r := range f.feeds.value {
		if _, ok := f.stores[r.Store]; !ok {
			s.add("recorded", r.ID, warns("configure the store again, or leave it: a timer without a reader does no harm", "a feed of a store that is not configured here"))
		}
	}
	return s.found
}
