package main

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"watchkeeper/workers/fleet"
)

func (t *tool) configCommand() *cobra.Command {
	return group("config", "Check, print and document the configuration", t.configCheck(), t.configPrint(), t.configDiff(), t.configDocs())
}

// A checkView is the result of a check.
type checkView struct {
	OK       bool          `json:"ok"`
	Rules    words         `json:"rules"` // the hash of the effective rules
	Stores   int           `json:"stores"`
	Problems []problemView `json:"problems"`
	Warnings []string      `json:"warnings"` // what is no mistake and hardly meant; of rules that load
}

func (t *tool) configCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "List every mistake of the environment at once",
		Long: `check reads the environment as watchkeeper does and builds the connector of every store, without any call to Redis or a platform.
It lists all mistakes and exits with code 2 when there is one. What is no mistake and hardly meant, such as a live store that has no answer
for some reason, is a warning and no failure.`,
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
	v := checkView{Problems: problemsOf(err), Warnings: []string{}}
	if book != nil {
		v.Rules, v.Warnings = words(book.Hash()), nonNil(fleet.Warnings(config, book))
	} else { // what is left may hold mistakes that only the connectors know
		config, book, _ = fleet.Load(ctx, bare(t.environ, v.Problems), t.registry)
	}
	if book != nil {
		v.Stores = len(book.Stores())
		err = fleet.CheckStores(ctx, fleet.Options{Config: config, Book: book, Registry: t.registry, Now: t.now, Log: zap.NewNop()}, variablesOf(v.Problems))
		v.Problems = append(v.Problems, slices.DeleteFunc(storeProblems(book, err), repeats(v.Problems))...)
	}
	for i := range v.Problems {
		v.Problems[i].Detail = t.scrub(v.Problems[i].Detail)
	}
	v.OK = len(v.Problems) == 0
	return v
}

// repeats tells of a mistake whether it only follows from those that were found before: what they took out is missing.
func repeats(found []problemView) func(problemView) bool {
	told := map[string]bool{}
	for _, p := range found {
		told[string(p.Variable)] = true
	}
	return func(p problemView) bool {
		return slices.ContainsFunc(variableName.FindAllString(p.text(), -1), func(name string) bool { return told[name] })
	}
}

func (v checkView) print(w io.Writer) {
	if v.OK {
		fmt.Fprintf(w, "all is well: %d store(s), rules %s", v.Stores, v.Rules)
		if n := len(v.Warnings); n > 0 {
			fmt.Fprintf(w, ", %d warning(s)", n)
		}
		fmt.Fprintln(w)
	}
	for _, p := range v.Problems {
		fmt.Fprintln(w, clean(p.text()))
	}
	for _, text := range v.Warnings {
		fmt.Fprintln(w, "warning: "+clean(text))
	}
}
