package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
)

// openLimit is how long Redis has to answer at first: a person is waiting.
const openLimit = 15 * time.Second

// A desk is what commands about records work with.
type desk struct {
	*store.Store
	book *rules.Book
	now  time.Time // of this machine, once for the whole command, so that its output agrees with itself
	warn func(format string, args ...any)
}

// withRecords opens the records for the time of one command.
func (t *tool) withRecords(ctx context.Context, do func(context.Context, *desk) error) error {
	config, book, err := fleet.Load(ctx, t.environ, t.registry)
	if err != nil {
		return notUsable(err)
	}
	return t.withStore(ctx, config, book, do)
}

// withAnyRecords opens the records, too, when something is wrong with the configuration that does not concern Redis: what stops the fleet must
// not fail for a misspelt rule.
func (t *tool) withAnyRecords(ctx context.Context, do func(context.Context, *desk) error) error {
	config, book, problems, err := t.loadAny(ctx)
	if err != nil {
		return err
	}
	if n := len(problems); n > 0 {
		t.warnf("the configuration has %d problem(s), and its rules are left out here; \"wkctl config check\" lists them", n)
	}
	return t.withStore(ctx, config, book, do)
}

// loadAny loads the configuration, and where it holds mistakes that do not concern Redis what can be read of it, beside the mistakes.
func (t *tool) loadAny(ctx context.Context) (config fleet.Config, book *rules.Book, problems []problemView, err error) {
	if config, book, err = fleet.Load(ctx, t.environ, t.registry); err == nil {
		return config, book, nil, nil
	}
	problems = problemsOf(err)
	if slices.ContainsFunc(problems, func(p problemView) bool { return strings.HasPrefix(string(p.Variable), fleet.Prefix+"REDIS__") }) {
		return config, nil, nil, notUsable(err)
	}
	config, book, again := fleet.Load(ctx, bare(t.environ, problems), t.registry)
	if again != nil {
		return config, nil, nil, notUsable(err)
	}
	return config, book, problems, nil
}

func (t *tool) withStore(ctx context.Context, config fleet.Config, book *rules.Book, do func(context.Context, *desk) error) error {
	limit, cancel := context.WithTimeout(ctx, openLimit)
	defer cancel()
	options := fleet.Options{Config: config, Book: book, Registry: t.registry, Now: t.now, Log: zap.NewNop()}
	records, done, err := fleet.OpenStore(limit, options)
	if err != nil {
		return err
	}
	err = do(ctx, &desk{Store: records, book: book, now: t.now().UTC(), warn: t.warnf})
	return errors.Join(err, done(context.WithoutCancel(ctx)))
}

// notUsable is a configuration that the daemon would refuse, too.
func notUsable(err error) error {
	return usagef("the configuration is not usable:\n%w\n\"wkctl config check\" lists its mistakes", err)
}

// warn tells what the output leaves out, on standard error, so that it is never mistaken for everything.
func (t *tool) warnf(format string, args ...any) { fmt.Fprintf(t.err, "wkctl: "+format+"\n", args...) }

// attempts lists the ledger of a case. What another version wrote is left out, with a warning.
func (d *desk) attempts(ctx context.Context, id sla.DisputeID) ([]sla.Attempt, error) {
	all, err := d.Attempts(ctx, id)
	if errors.Is(err, store.ErrUnreadable) {
		d.warn("some attempts cannot be read by this version and are left out")
		err = nil
	}
	return all, err
}

// switches lists the kill switches that are on. What another version wrote is left out, with a warning.
func (d *desk) switches(ctx context.Context) ([]sla.KillSwitch, error) {
	all, err := d.Kills(ctx)
	if errors.Is(err, store.ErrUnreadable) {
		d.warn("some kill switches cannot be read by this version and are left out; while they are on they stop every answer that they may mean: %v", err)
		err = nil
	}
	return all, err
}

// rest tells how much a listing leaves out: what was beyond the limit, and what another version wrote.
func (d *desk) rest(ctx context.Context, listed, seen int, what string) error {
	if listed < seen {
		d.warn("%d of %d %s; --limit shows more", listed, seen, what)
	}
	stats, err := d.Stats(ctx)
	if err != nil {
		return err
	}
	if stats.Unreadable > 0 {
		d.warn("%d records cannot be read by this version and are left out", stats.Unreadable)
	}
	return nil
}

// rule is the rule of a case as of now.
func (d *desk) rule(c sla.CaseRecord) sla.Rule {
	return d.book.At(d.now).For(c.ID.Platform, c.ID.Store, c.Reason)
}

// find reads one case by "STORE/ID", or by its bare id when only one store has it.
func (d *desk) find(ctx context.Context, text string) (sla.CaseRecord, error) {
	ids, err := d.candidates(ctx, text)
	if err != nil {
		return sla.CaseRecord{}, err
	}
	var found []sla.CaseRecord
	for _, id := range ids {
		records, ok, err := d.Cases(ctx, []sla.DisputeID{id})
		switch {
		case errors.Is(err, store.ErrUnknownStore):
			continue
		case err != nil:
			return sla.CaseRecord{}, err
		case ok[0]:
			found = append(found, records[0])
		}
	}
	switch len(found) {
	case 0:
		return sla.CaseRecord{}, notFound("case", text)
	case 1:
		return found[0], nil
	}
	return sla.CaseRecord{}, usagef("case %s: %s and %s have it; say STORE/ID", clean(text), found[0].ID.Store, found[1].ID.Store)
}

// candidates lists the identities that a text may mean. The configured stores are asked directly; only when none has the case are all
// records walked, for those of stores that are no longer configured.
func (d *desk) candidates(ctx context.Context, text string) ([]sla.DisputeID, error) {
	id, err := sla.ParseDisputeID(text)
	if err == nil {
		return []sla.DisputeID{id}, nil
	}
	if bare, bareErr := sla.ParseDisputeID("X/" + text); bareErr == nil {
		return d.everywhere(ctx, bare.Native)
	}
	return nil, usagef("%w", err)
}

func (d *desk) everywhere(ctx context.Context, native string) ([]sla.DisputeID, error) {
	var out []sla.DisputeID
	for _, s := range d.book.Stores() {
		id := sla.DisputeID{Platform: s.Platform, Store: s.ID, Native: native}
		_, ok, err := d.Cases(ctx, []sla.DisputeID{id})
		if err != nil {
			return nil, err
		}
		if ok[0] {
			out = append(out, id)
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	err := d.EachCase(ctx, func(c sla.CaseRecord) error {
		if c.ID.Native == native {
			out = append(out, c.ID)
		}
		return nil
	})
	return out, err
}
