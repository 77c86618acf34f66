package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
)

func (t *tool) killCommand() *cobra.Command {
	return group("kill-switch", "Stop answers at once, and let them go again", t.killSet(true), t.killSet(false), t.killLs())
}

// A killAsk is what the command line says of a switch.
type killAsk struct {
	on              bool
	scope, note, by string
}

func (t *tool) killSet(on bool) *cobra.Command {
	ask := killAsk{on: on}
	cmd := &cobra.Command{
		Use:   "on --scope SCOPE --note TEXT",
		Short: "Stop all answers of a scope, in every process, at once",
		Long: `on throws a kill switch: no answer of the scope is sent any more, by any process, until it is taken back; warnings and pages go on.
It is in force when the command returns, for every process, without a restart: the intent of an answer is recorded in Redis before the answer
is sent, and the switch is checked in that step. Only an answer whose intent was recorded before may still arrive.

SCOPE is all, a platform, a store, platform/reason or store/reason. The command needs only WK_REDIS__ADDRS: a store may be one that is
configured here or one that is on record. Should the configuration hold mistakes, the switch works all the same.`,
		Example: `  wkctl kill-switch on --scope all --note "wrong prices in the shop"
  wkctl kill-switch on --scope AE01/not_received --note "carrier is on strike" --by alice`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ask.scope == "" {
				return usagef("--scope is missing: say all, a platform, a store, platform/reason or store/reason")
			}
			if err := t.signed(&ask.by, &ask.note); err != nil {
				return err
			}
			return t.withAnyRecords(cmd.Context(), func(ctx context.Context, d *desk) error { return t.setKill(ctx, d, ask) })
		},
	}
	if !on {
		cmd.Use, cmd.Short = "off --scope SCOPE --note TEXT", "Take a kill switch back"
		cmd.Long = `off takes a kill switch back, and tells what else still stops answers of the scope: other switches, the KILL variables and the modes of
this environment. Answers that are due go out with the next look at their cases, within a
minute where a switch stopped them and within SETTLE where a variable did.`
		cmd.Example = `  wkctl kill-switch off --scope all --note "prices are right again"
  wkctl kill-switch off --scope AE01/not_received --note "strike is over" -o json`
	}
	cmd.Flags().StringVar(&ask.scope, "scope", "", "where: all, a platform, a store, platform/reason or store/reason (required)")
	cmd.Flags().StringVar(&ask.note, "note", "", "why, in your words (required)")
	cmd.Flags().StringVar(&ask.by, "by", "", "who does so (default: "+signature+", or the user of the operating system)")
	return cmd
}

// A killView is what became of a switch.
type killView struct {
	Scope    string     `json:"scope"`
	On       bool       `json:"on"`
	Was      bool       `json:"was_on"`
	By       string     `json:"by"`
	Note     string     `json:"note"`
	At       instant    `json:"at"`
	Everyone int        `json:"in_force_everywhere_after_seconds"` // for answers without an intent so far
	Still    []stopView `json:"still_stopped_by"`                  // of off: what else stops answers of the scope
}

func (t *tool) setKill(ctx context.Context, d *desk, ask killAsk) error {
	land := t.territory(d.book, d.Stores())
	scope, err := land.scope(ask.scope)
	if err != nil {
		return err
	}
	was, listErr := d.switches(ctx) // what cannot be listed must not keep anybody from stopping
	same := func(k sla.KillSwitch) bool { return k.KillScope == scope }
	v := killView{
		Scope: scopeText(scope), On: ask.on, Was: slices.ContainsFunc(was, same), By: ask.by, Note: ask.note, At: instant{d.now}, Still: []stopView{},
	}
	if err := d.SetKill(ctx, scope, ask.on, ask.by+": "+ask.note, d.now); err != nil {
		return fmt.Errorf("kill switch %s may be in force in some parts only: say it again: %w", v.Scope, err)
	}
	if listErr != nil {
		d.warn("what else is on cannot be told: %v", listErr)
	}
	if !ask.on {
		v.Still = land.still(d, scope, slices.DeleteFunc(was, same))
	}
	return t.show(v, v.print)
}

func (v killView) print(w io.Writer) {
	switch {
	case v.On && v.Was:
		fmt.Fprintf(w, "kill switch %s is on, as it was before\n", v.Scope)
	case v.On:
		fmt.Fprintf(w, "kill switch %s is on\n", v.Scope)
	case v.Was:
		fmt.Fprintf(w, "kill switch %s is off\n", v.Scope)
	default:
		fmt.Fprintf(w, "kill switch %s is off, as it was before\n", v.Scope)
	}
	fmt.Fprintf(w, "  said by %s: %s\n", clean(v.By), clean(v.Note))
	if v.On {
		fmt.Fprintln(w, "  in force now, in every process: no answer of the scope is begun any more\n"+
			"  an answer that was begun before may still arrive; warnings and pages go on")
		return
	}
	v.printFreed(w)
	if len(v.Still) == 0 {
		fmt.Fprintln(w, "  nothing else stops answers of the scope, as far as Redis and this environment tell")
		return
	}
	fmt.Fprintln(w, "\nstill stopped, as far as Redis and this environment tell")
	tab := newTable(w, "  BY", "SCOPE", "FROM")
	for _, s := range v.Still {
		tab.row("  "+s.What, s.where(), s.from())
	}
	tab.end()
}

// printFreed says what becomes of answers now that the switch is off.
func (v killView) printFreed(w io.Writer) {
	if !v.Was {
		fmt.Fprintln(w, "  it stopped no answer, and lets none go")
		return
	}
	due := "answers that are due"
	if len(v.Still) > 0 {
		due += " and not stopped by what is below"
	}
	fmt.Fprintf(w, "  in force now, in every process: %s go out with the next look at their cases, within minutes\n", due)
}

func (t *tool) killLs() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "List what stops answers: kill switches, and KILL variables of this environment",
		Long: `ls lists the kill switches that are on, and where a KILL variable of this environment says so; the environment of the daemons may say
otherwise. The shadow and hold modes are not listed: see wkctl config print.`,
		Example: `  wkctl kill-switch ls
  wkctl kill-switch ls -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.withAnyRecords(cmd.Context(), t.listKills)
		},
	}
}

// A killLine is one switch as listed.
type killLine struct {
	Scope    string  `json:"scope"`
	Since    instant `json:"since"` // null of a variable
	Note     words   `json:"note"`
	Variable words   `json:"variable"` // that says so; null of a switch
}

func (t *tool) listKills(ctx context.Context, d *desk) error {
	thrown, err := d.switches(ctx)
	if err != nil {
		return err
	}
	lines := []killLine{}
	for _, k := range thrown {
		lines = append(lines, killLine{Scope: scopeText(k.KillScope), Since: instant{k.Since}, Note: words(k.Note)})
	}
	land := t.territory(d.book, d.Stores())
	for _, s := range land.stopped(d, sla.KillScope{}) {
		if s.What == stopVariable {
			lines = append(lines, killLine{Scope: s.where(), Variable: s.From})
		}
	}
	return t.show(lines, func(w io.Writer) {
		if len(lines) == 0 {
			fmt.Fprintln(w, "no kill switch is on, and no KILL variable of this environment")
			return
		}
		tab := newTable(w, "SCOPE", "SINCE", "NOTE", "VARIABLE")
		for _, l := range lines {
			tab.row(l.Scope, l.Since.String(), string(l.Note), string(l.Variable))
		}
		tab.end()
	})
}
