package main

import (
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// A pick says which records to list, and how many.
type pick struct {
	store string
	limit int
}

// mostListed bounds the memory of a listing.
const mostListed = 100_000

func (p *pick) flags(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&p.store, "store", "", "only those of this store, for example AE01")
	cmd.Flags().IntVar(&p.limit, "limit", 50, "how many "+what+" to list at most")
}

func (p *pick) check() error {
	if p.limit < 1 || p.limit > mostListed {
		return usagef("--limit %d: want 1 to %d", p.limit, mostListed)
	}
	if p.store != "" && !sla.StoreID(p.store).Valid() {
		return usagef("--store %q: want capital letters and digits, for example AE01", clean(p.store))
	}
	return nil
}

// absent is the error of asking for a store that is neither configured nor on record.
func (p *pick) absent(b *rules.Book, met bool) error {
	if p.store == "" || met {
		return nil
	}
	for _, s := range b.Stores() {
		if string(s.ID) == p.store {
			return nil
		}
	}
	return notFound("store", p.store)
}

func (t *tool) casesCommand() *cobra.Command {
	return group("cases", "The disputes on record, and what you say about their answers", append(t.sayCommands(), t.casesLs(), t.casesShow())...)
}

// A casePick narrows the list of cases.
type casePick struct {
	pick
	state  string
	within string
	as     string
	soon   time.Duration // within, read; negative: whenever
	at     time.Time     // as, read; zero: now
}

func (p *casePick) check() error {
	if p.state != "open" && p.state != "closed" && p.state != "all" {
		return usagef("--state %q: want open, closed or all", clean(p.state))
	}
	if p.as != "" {
		at, err := parseTime(p.as)
		if err != nil {
			return err
		}
		p.at = at
	}
	p.soon = -1
	if p.within != "" {
		d, err := rules.ParseDuration(p.within)
		if err != nil {
			return usagef("--due-within %q: %w; want a duration like 24h or 2d", clean(p.within), err)
		}
		p.soon = d
	}
	return p.pick.check()
}

// takes reports whether a case with this deadline is listed.
func (p *casePick) takes(c sla.CaseRecord, deadline, now time.Time) bool {
	switch {
	case p.store != "" && string(c.ID.Store) != p.store,
		p.state == "open" && !c.Open(),
		p.state == "closed" && c.Open():
		return false
	}
	return p.soon < 0 || !deadline.IsZero() && !deadline.After(now.Add(p.soon))
}

func (t *tool) casesLs() *cobra.Command {
	var p casePick
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List cases, the earliest deadline first",
		Long: `ls lists cases, the earliest deadline first and those without one last. What is to be done is decided anew, by this machine's clock,
or with --at as of another time, under the rules of then and from the records of now. --due-within counts from that time, and also lists what is overdue.`,
		Example: `  wkctl cases ls
  wkctl cases ls --store AE01 --due-within 24h
  wkctl cases ls --at 2026-03-08T09:00:00Z
  wkctl cases ls --state all --limit 1000 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return err
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error {
				if !p.at.IsZero() {
					d.now = p.at
				}
				return t.listCases(ctx, d, &p)
			})
		},
	}
	p.flags(cmd, "cases")
	cmd.Flags().StringVar(&p.state, "state", "open", "open, closed or all")
	cmd.Flags().StringVar(&p.as, "at", "", "as of this time (RFC 3339 or a day), not now")
	cmd.Flags().StringVar(&p.within, "due-within", "", "only those whose deadline is within this time, for example 24h or 2d")
	return cmd
}

func (t *tool) listCases(ctx context.Context, d *desk, p *casePick) error {
	kept := newKeeper(p.limit, func(a, b caseLine) int {
		return cmp.Or(byTime(a.Deadline, b.Deadline), strings.Compare(a.Case, b.Case))
	})
	met := false
	err := d.EachCase(ctx, func(c sla.CaseRecord) error {
		met = met || string(c.ID.Store) == p.store
		l := lineOf(c, sla.Decide(d.now, c.Case, d.rule(c)))
		if p.takes(c, l.Deadline.Time, d.now) {
			kept.offer(l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.absent(d.book, met); err != nil {
		return err
	}
	lines := kept.sorted()
	if err := d.rest(ctx, len(lines), kept.seen, "cases"); err != nil {
		return err
	}
	return t.show(nonNil(lines), func(w io.Writer) {
		tab := newTable(w, "CASE", "STATE", "REASON", "DEADLINE", "LEFT", "STAGE", "ACTION", "WHY", "COST")
		for _, l := range lines {
			tab.row(l.Case, l.State, l.Reason, l.Deadline.String(), left(l.Deadline, d.now), l.Stage, l.Action, l.Why, l.Cost.String())
		}
		tab.end()
	})
}

// nonNil makes an empty list [] in JSON.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// byTime orders instants, those that are not known last.
func byTime(a, b instant) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b.Time)
}

func left(deadline instant, now time.Time) string {
	if deadline.IsZero() {
		return ""
	}
	return span(deadline.Sub(now))
}

func (t *tool) casesShow() *cobra.Command {
	var audits int
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one case: its record, timeline, attempts and audit lines",
		Long:  `show prints what is on record of one case. ID is STORE/ID, or the platform's id alone when only one store has it.`,
		Example: `  wkctl cases show AE01/9123456789012345
  wkctl cases show 9123456789012345 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if audits < 1 || audits > 1000 {
				return usagef("--audit %d: want 1 to 1000", audits)
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error { return t.showCase(ctx, d, args[0], audits) })
		},
	}
	cmd.Flags().IntVar(&audits, "audit", 10, "how many of the newest audit lines to show")
	return cmd
}

func (t *tool) showCase(ctx context.Context, d *desk, id string, audits int) error {
	c, err := d.find(ctx, id)
	if err != nil {
		return err
	}
	v, err := d.view(ctx, c, audits)
	if err != nil {
		return err
	}
	return t.show(v, v.print)
}
