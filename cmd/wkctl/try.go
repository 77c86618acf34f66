package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func (t *tool) rulesCommand() *cobra.Command {
	return group("rules", "Try other rules on what is on record", t.rulesTry())
}

func (t *tool) rulesTry() *cobra.Command {
	var since, as string
	var limit int
	cmd := &cobra.Command{
		Use:   "try NEW.env",
		Short: "Show what other rules would change: cases, money, breaches",
		Long: `try decides about every open case as of now, and about the answers and shadow decisions of the audit as of the beginning of their turns,
under the present rules and under those of a file, and prints what differs. It changes nothing.

The file has NAME=value lines; - is standard input. Its WK_SLA__, WK_SHIPMENT__ and WK_CALENDAR__ variables take the place of all present ones; every other
variable that it sets takes the place of the present one of that name.

It follows each case until something is sent or a person must act, as if nothing of its facts changed but the age of a parcel's last scan.
What earlier answers on record have cost counts for ACCEPT_CAP; the other budgets, the storm stop and kill switches thrown by command are left
out. The facts are those on record: thresholds for a destination country do not count, because a record does not tell the country, and what
people hold or approved stays so.`,
		Example: `  wkctl rules try new.env
  wkctl rules try new.env --since 7d -o json
  sed s/30%/40%/ rules.env | wkctl rules try -
  wkctl rules try new.env --at 2026-03-13`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ago, err := parseAgo("--since", since)
			if err != nil {
				return err
			}
			if limit < 1 || limit > mostListed {
				return usagef("--limit %d: want 1 to %d", limit, mostListed)
			}
			at := t.now().UTC()
			if as != "" {
				if at, err = parseTime(as); err != nil {
					return err
				}
			}
			next, err := t.newRules(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error {
				d.now = at
				return t.try(ctx, d, next, ago, limit)
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "how far back to take recorded decisions, for example 30d")
	cmd.Flags().StringVar(&as, "at", "", "decide as of this time (RFC 3339 or a day), not now: for the records of a demonstration, whose clock is another")
	cmd.Flags().IntVar(&limit, "limit", 50, "how many of the cases that differ to list at most; -o json lists all")
	return cmd
}

// parseAgo reads how far back to look.
func parseAgo(flag, text string) (time.Duration, error) {
	ago, err := rules.ParseDuration(text)
	if err != nil || ago <= 0 {
		return 0, usagef("%s %q: want a duration like 30d or 12h", flag, clean(text))
	}
	return ago, nil
}

func (t *tool) try(ctx context.Context, d *desk, next rulebook, ago time.Duration, limit int) error {
	if t.format == formatJSON {
		limit = math.MaxInt / 4 // a keeper holds twice as many
	}
	kept := newKeeper(limit, func(a, b differenceView) int {
		return cmp.Or(byTime(a.first(), b.first()), strings.Compare(a.Case, b.Case), strings.Compare(a.Turn, b.Turn))
	})
	tr := newTrial(d, rulebookOf(d.book), next, d.now.Add(-ago), kept.offer)
	tr.tracker = t.firstTracker(d.book)
	if err := tr.run(ctx); err != nil {
		return err
	}
	if tr.left > 0 {
		d.warn("%d open case(s) of stores that are not configured are left out", tr.left)
	}
	list := kept.sorted()
	if err := d.rest(ctx, len(list), kept.seen, "cases that differ"); err != nil {
		return err
	}
	v := tr.view()
	v.Differences = nonNil(list)
	return t.show(v, v.print)
}

// firstTracker is the tracking store that is asked first.
func (t *tool) firstTracker(b *rules.Book) sla.StoreID {
	for _, s := range b.Stores() {
		if p, err := t.registry.Get(s.Platform); err == nil && p.Capabilities.Shipments {
			return s.ID
		}
	}
	return ""
}

// A tryView is what two rulebooks make of the same cases.
type tryView struct {
	Before       string           `json:"rules_before"`
	After        string           `json:"rules_after"`
	At           instant          `json:"at"`
	Since        instant          `json:"since"`
	Cases        int              `json:"cases"`
	Open         int              `json:"open"`
	Recorded     int              `json:"recorded"`
	Changed      int              `json:"changed"`
	ByChange     changesView      `json:"by_change"` // one case can differ in several ways
	PaidBefore   []money          `json:"paid_before"`
	PaidAfter    []money          `json:"paid_after"`
	MorePaid     []money          `json:"more_paid"`
	LessPaid     []money          `json:"less_paid"`
	PeopleBefore peopleView       `json:"people_before"`
	PeopleAfter  peopleView       `json:"people_after"`
	Gained       int              `json:"breaches_gained"`
	Avoided      int              `json:"breaches_avoided"`
	Values       []ruleChange     `json:"values"`
	Differences  []differenceView `json:"differences"`
}

type changesView struct {
	Action int `json:"action"`
	Time   int `json:"time"`
	Amount int `json:"amount"`
}

// A peopleView is what is left to people, in shadow, too.
type peopleView struct {
	Cases   int     `json:"cases"`
	Silence []money `json:"cost_of_silence"`
}

// A differenceView is a case of which the two rulebooks make different things.
type differenceView struct {
	Case     string       `json:"case"`
	Platform string       `json:"platform"`
	Store    string       `json:"store"`
	Reason   string       `json:"reason"`
	Turn     string       `json:"turn"`
	Recorded bool         `json:"recorded"` // a decision of the past; else an open case
	Changes  []string     `json:"changes"`
	Before   forecastView `json:"before"`
	After    forecastView `json:"after"`
}

// first is when the first of the two comes.
func (v differenceView) first() instant {
	if byTime(v.Before.At, v.After.At) < 0 {
		return v.Before.At
	}
	return v.After.At
}

// A ruleChange is one effective value that differs.
type ruleChange struct {
	Scope    string `json:"scope"`
	Variable string `json:"variable"`
	Was      words  `json:"was"`
	WasFrom  words  `json:"was_from"`
	Is       words  `json:"is"`
	IsFrom   words  `json:"is_from"`
	When     string `json:"when"`
}

func ruleChanges(a, b *rules.Book) []ruleChange {
	out := []ruleChange{}
	for _, c := range rules.Diff(a, b) {
		out = append(out, ruleChange{c.Scope, c.Variable, words(c.Was), words(c.WasFrom), words(c.Is), words(c.IsFrom), c.Era.String()})
	}
	return out
}

func (tr *trial) view() *tryView {
	return &tryView{
		Before: tr.before.Hash(), After: tr.after.Hash(), At: instant{tr.now}, Since: instant{tr.since},
		Cases: tr.cases, Open: tr.open, Recorded: tr.recorded, Changed: tr.changed, ByChange: changesView{tr.actions, tr.times, tr.amounts},
		PaidBefore: tr.paidBefore.list(), PaidAfter: tr.paidAfter.list(), MorePaid: tr.more.list(), LessPaid: tr.less.list(),
		PeopleBefore: peopleView{tr.peopleBefore.cases, tr.peopleBefore.cost.list()},
		PeopleAfter:  peopleView{tr.peopleAfter.cases, tr.peopleAfter.cost.list()},
		Gained:       tr.gained, Avoided: tr.avoided, Values: ruleChanges(tr.before.Book, tr.after.Book),
	}
}

func (v *tryView) print(w io.Writer) {
	fmt.Fprintf(w, "rules %s -> %s: %d of %d cases differ (%d open, %d recorded since %s)\n\n", v.Before, v.After, v.Changed, v.Cases, v.Open, v.Recorded, v.Since)
	tab := newTable(w, " ", "BEFORE", "AFTER")
	tab.row("pays by itself", joinMoney(v.PaidBefore), joinMoney(v.PaidAfter))
	tab.row("left to people", strconv.Itoa(v.PeopleBefore.Cases), strconv.Itoa(v.PeopleAfter.Cases))
	tab.row("  whose silence costs", joinMoney(v.PeopleBefore.Silence), joinMoney(v.PeopleAfter.Silence))
	tab.end()
	fmt.Fprintln(w)
	tab = newTable(w)
	tab.row("other action", strconv.Itoa(v.ByChange.Action))
	tab.row("other time", strconv.Itoa(v.ByChange.Time))
	tab.row("other amount", strconv.Itoa(v.ByChange.Amount))
	tab.row("more paid", joinMoney(v.MorePaid))
	tab.row("less paid", joinMoney(v.LessPaid))
	tab.row("breaches gained", strconv.Itoa(v.Gained))
	tab.row("breaches avoided", strconv.Itoa(v.Avoided))
	tab.end()
	printRuleChanges(w, v.Values)
	if len(v.Differences) == 0 {
		return
	}
	fmt.Fprintln(w, "\ncases that differ")
	tab = newTable(w, "  CASE", "REASON", "KIND", "BEFORE", "AFTER")
	for _, d := range v.Differences {
		kind := "open"
		if d.Recorded {
			kind = "recorded"
		}
		tab.row("  "+d.Case, d.Reason, kind, d.Before.String(), d.After.String())
	}
	tab.end()
}

// printRuleChanges prints each change once, with how many scopes have it: one variable may hold in hundreds of stores.
func printRuleChanges(w io.Writer, changes []ruleChange) {
	if len(changes) == 0 {
		fmt.Fprintln(w, "\nno value differs")
		return
	}
	fmt.Fprintln(w, "\nvalues that differ")
	seen := map[ruleChange]struct{}{}
	tab := newTable(w, "  SCOPE", "VARIABLE", "WAS", "IS", "WHEN", "WAS FROM", "IS FROM")
	for i, c := range changes {
		scope, same := c.Scope, 0
		c.Scope = ""
		if _, before := seen[c]; before {
			continue // told with the first scope that has it
		}
		seen[c] = struct{}{}
		for _, later := range changes[i+1:] {
			later.Scope = ""
			same += one(later == c)
		}
		if same > 0 {
			scope += fmt.Sprintf(" and %d more", same)
		}
		tab.row("  "+scope, c.Variable, string(c.Was), string(c.Is), c.When, string(c.WasFrom), string(c.IsFrom))
	}
	tab.end()
}

// joinMoney is "12.50 USD, 900 JPY".
func joinMoney(all []money) string {
	out := make([]string, len(all))
	for i, m := range all {
		out[i] = m.String()
	}
	return strings.Join(out, ", ")
}
