package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// A rowView is one effective value.
type rowView struct {
	Scope    string `json:"scope"`
	Variable string `json:"variable"`
	Value    string `json:"value"`
	From     string `json:"from"`
}

// A printAsk is what the command line asks of a print.
type printAsk struct {
	platform, store, reason string
	at                      string
	variables               []string // without their scope; none: all
	effective, origin       bool
}

func (t *tool) configPrint() *cobra.Command {
	var ask printAsk
	cmd := &cobra.Command{
		Use:   "print [VARIABLE...]",
		Short: "Print the effective values and where each came from",
		Long: `print lists what holds in each scope after the more specific variables had their say, by its dates as of now or of --at; with --origin
the variable that set it, or "default", too, which -o json always has. VARIABLE narrows to these, without their scope: ACT_BEFORE. Credentials are
only said to be set. --effective=false lists each variable that is set once, and no defaults.

With -o env it prints the rulebook as variables in canonical form, all dates included: whoever loads them has the same rules, and the same hash.
The connectors' variables and those of the machinery are left out, and with them every secret.`,
		Example: `  wkctl config print --effective --origin
  wkctl config print --origin --store AE01 --reason not_received ACT_BEFORE GUARD
  wkctl config print --platform aliexpress --at 2027-02-10
  wkctl config print -o env > rules.env`,
		Annotations: map[string]string{formatEnv: "yes"},
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.variables = args
			at, err := t.checkPrint(ask)
			if err != nil {
				return err
			}
			return t.print(cmd.Context(), ask, at)
		},
	}
	cmd.Flags().BoolVar(&ask.effective, "effective", true, "what holds in each scope; =false: only the variables that are set")
	cmd.Flags().BoolVar(&ask.origin, "origin", false, "tell which variable decided")
	cmd.Flags().StringVar(&ask.platform, "platform", "", "only what holds on this platform and in its stores, for example aliexpress")
	cmd.Flags().StringVar(&ask.store, "store", "", "only what holds for this store")
	cmd.Flags().StringVar(&ask.reason, "reason", "", "only the rules for disputes of this reason, for example not_received")
	cmd.Flags().StringVar(&ask.at, "at", "", "as of this time (RFC 3339 or a day), not now")
	return cmd
}

// checkPrint refuses what cannot be asked, and gives the instant.
func (t *tool) checkPrint(ask printAsk) (time.Time, error) {
	at := t.now()
	if err := cmp.Or(oneOf("--reason", ask.reason, sla.Reasons()), oneOfNames("--platform", ask.platform, t.registry.Names())); err != nil {
		return at, err
	}
	names := t.shortNames()
	for _, v := range ask.variables {
		if !slices.Contains(names, v) {
			return at, usagef("%s: no variable is called so%s", clean(v), orMeant(rules.Nearest(strings.ToUpper(v), names)))
		}
	}
	if t.format == formatEnv && (ask.platform+ask.store+ask.reason+ask.at != "" || len(ask.variables) > 0) {
		return at, usagef("-o env prints the whole rulebook: leave --platform, --store, --reason, --at and VARIABLE out")
	}
	if ask.at == "" {
		return at, nil
	}
	return parseTime(ask.at)
}

func orMeant(name string) string {
	if name == "" {
		return ""
	}
	return "; did you mean " + name + "?"
}

// oneOfNames refuses a word that is none of the names; no word is fine.
func oneOfNames[T ~string](flag, word string, names []T) error {
	if word == "" || slices.Contains(names, T(word)) {
		return nil
	}
	return usagef("%s %q: want one of %s", flag, clean(word), joinNames(names))
}

// shortNames are the names of variables as print has them, without their scope.
func (t *tool) shortNames() []string {
	var out []string
	for _, v := range fleet.Variables() {
		out = append(out, strings.TrimPrefix(v, fleet.Prefix))
	}
	for _, v := range rules.Variables(fleet.RuleOptions(t.registry).Platforms) {
		name := v.Name
		if v.Noun == rules.NounShipment {
			name = "SHIPMENT__" + name
		}
		if v.Noun != rules.NounDate {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (t *tool) print(ctx context.Context, ask printAsk, at time.Time) error {
	config, book, err := fleet.Load(ctx, t.environ, t.registry)
	if err != nil {
		return notUsable(err)
	}
	if t.format == formatEnv {
		for _, entry := range book.Environ() {
			fmt.Fprintln(t.out, entry)
		}
		return nil
	}
	rows, err := t.rows(config, book.At(at), ask)
	if err != nil {
		return err
	}
	return t.show(rows, func(w io.Writer) {
		head := []string{"SCOPE", "VARIABLE", "VALUE", "FROM"}
		cells := len(head)
		if !ask.origin {
			cells--
		}
		tab := newTable(w, head[:cells]...)
		for _, r := range rows {
			tab.row([]string{r.Scope, r.Variable, r.Value, r.From}[:cells]...)
		}
		tab.end()
	})
}

// rows lists effective values: of the machinery when nothing narrows the question, then of the rulebook.
func (t *tool) rows(config fleet.Config, book *rules.Book, ask printAsk) ([]rowView, error) {
	known := slices.ContainsFunc(book.Stores(), func(s rules.Store) bool { return string(s.ID) == ask.store })
	if ask.store != "" && !known {
		return nil, notFound("store", ask.store)
	}
	out := []rowView{}
	if ask.platform+ask.store+ask.reason == "" {
		for _, v := range fleet.Describe(config) {
			out = append(out, rowView{"machinery", strings.TrimPrefix(v.Name, fleet.Prefix), t.scrub(v.Value), t.origin(v.Name)})
		}
	}
	all := book.Rows(rules.Filter{Platform: sla.Platform(ask.platform), Store: sla.StoreID(ask.store)})
	if ask.reason != "" {
		all = t.forReason(all, ask.reason)
	}
	for _, r := range all {
		out = append(out, rowView{r.Scope, r.Variable, r.Value, r.From})
	}
	seen := map[string]bool{sla.FromDefault: true}
	return slices.DeleteFunc(out, func(r rowView) bool {
		told := !ask.effective && seen[r.From] // its first scope is the one that it speaks of, or the first that was asked for
		seen[r.From] = true
		return told || len(ask.variables) > 0 && !slices.Contains(ask.variables, r.Variable)
	}), nil
}

// origin is the variable that set a value of the machinery.
func (t *tool) origin(name string) string {
	if slices.ContainsFunc(t.environ, func(entry string) bool { return strings.HasPrefix(entry, name+"=") }) {
		return name
	}
	return sla.FromDefault
}

// forReason keeps the rules that hold for one reason in each scope: the reason's own where a variable speaks of it, else the scope's.
func (t *tool) forReason(rows []rules.Row, reason string) []rules.Row {
	can := map[string]bool{}
	for _, v := range rules.Variables(fleet.RuleOptions(t.registry).Platforms) {
		can[v.Name] = can[v.Name] || slices.ContainsFunc(v.Scopes, func(s string) bool { return strings.Contains(s, reasonLevel) })
	}
	suffix := ", reason " + reason
	special := map[string]bool{}
	for _, r := range rows {
		if scope, is := strings.CutSuffix(r.Scope, suffix); is {
			special[scope] = true
		}
	}
	var out []rules.Row
	for _, r := range rows {
		if !can[r.Variable] {
			continue
		}
		if strings.HasSuffix(r.Scope, suffix) || !strings.Contains(r.Scope, ", reason ") && !special[r.Scope] {
			out = append(out, r)
		}
	}
	return out
}
