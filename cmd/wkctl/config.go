package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

func (t *tool) configCommand() *cobra.Command {
	return group("config", "Check, print and document the configuration", t.configCheck(), t.configPrint(), t.configDocs())
}

// A checkView is the result of a check.
type checkView struct {
	OK       bool          `json:"ok"`
	Rules    words         `json:"rules"` // the hash of the effective rules
	Stores   int           `json:"stores"`
	Problems []problemView `json:"problems"`
}

func (t *tool) configCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "List every mistake of the environment at once",
		Long: `check reads the environment as watchkeeper does and builds the connector of every store, without any call to Redis or a platform.
It lists all mistakes and exits with code 2 when there is one.`,
		Example: `  wkctl config check
  wkctl config check -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := t.check(cmd.Context())
			if err := t.show(v, v.print); err != nil {
				return err
			}
			if !v.OK {
				return usagef("%d problem(s)", len(v.Problems))
			}
			return nil
		},
	}
}

func (t *tool) check(ctx context.Context) checkView {
	config, book, err := fleet.Load(ctx, t.environ, t.registry)
	v := checkView{Problems: problemsOf(err)}
	if book == nil { // what is left may hold mistakes that only the connectors know
		config, book, _ = fleet.Load(ctx, without(t.environ, v.Problems), t.registry)
	}
	if book != nil {
		v.Rules, v.Stores = words(book.Hash()), len(book.Stores())
		err = fleet.CheckStores(ctx, fleet.Options{Config: config, Book: book, Registry: t.registry, Now: t.now, Log: zap.NewNop()})
		v.Problems = append(v.Problems, t.storeProblems(book, err)...)
	}
	for i := range v.Problems {
		v.Problems[i].Detail = t.scrub(v.Problems[i].Detail)
	}
	v.OK = len(v.Problems) == 0
	return v
}

func (v checkView) print(w io.Writer) {
	if v.OK {
		fmt.Fprintf(w, "all is well: %d store(s), rules %s\n", v.Stores, v.Rules)
	}
	for _, p := range v.Problems {
		fmt.Fprintln(w, clean(p.text()))
	}
}

// A rowView is one effective value.
type rowView struct {
	Scope    string `json:"scope"`
	Variable string `json:"variable"`
	Value    string `json:"value"`
	From     string `json:"from"`
}

func (t *tool) configPrint() *cobra.Command {
	var store, reason string
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print the effective values and where each came from",
		Long: `print lists what holds in each scope after the more specific variables had their say, with the variable that set it or "default".
Credentials are only said to be set.`,
		Example: `  wkctl config print
  wkctl config print --store AE01 --reason not_received`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--reason", reason, sla.Reasons()); err != nil {
				return err
			}
			config, book, err := fleet.Load(cmd.Context(), t.environ, t.registry)
			if err != nil {
				return notUsable(err)
			}
			rows, err := t.rows(config, book, store, reason)
			if err != nil {
				return err
			}
			return t.show(rows, func(w io.Writer) {
				tab := newTable(w, "SCOPE", "VARIABLE", "VALUE", "FROM")
				for _, r := range rows {
					tab.row(r.Scope, r.Variable, r.Value, r.From)
				}
				tab.end()
			})
		},
	}
	cmd.Flags().StringVar(&store, "store", "", "only what holds for this store")
	cmd.Flags().StringVar(&reason, "reason", "", "only the rules for disputes of this reason, for example not_received")
	return cmd
}

// rows lists effective values: of the machinery when nothing narrows the question, then of the rulebook.
func (t *tool) rows(config fleet.Config, book *rules.Book, store, reason string) ([]rowView, error) {
	known := slices.ContainsFunc(book.Stores(), func(s rules.Store) bool { return string(s.ID) == store })
	if store != "" && !known {
		return nil, notFound("store", store)
	}
	out := []rowView{}
	if store == "" && reason == "" {
		for _, v := range fleet.Describe(config) {
			out = append(out, rowView{"machinery", strings.TrimPrefix(v.Name, fleet.Prefix), t.scrub(v.Value), t.origin(v.Name)})
		}
	}
	all := book.Rows(rules.Filter{Store: sla.StoreID(store)})
	if reason != "" {
		all = t.forReason(all, reason)
	}
	for _, r := range all {
		out = append(out, rowView{r.Scope, r.Variable, r.Value, r.From})
	}
	return out, nil
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
