package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"watchkeeper/workers/fleet"
)

func (t *tool) configDiff() *cobra.Command {
	return &cobra.Command{
		Use:   "diff NEW.env",
		Short: "Show which rules a file would change",
		Long: `diff compares the effective rules of this environment with those that a file would make, in every scope and at all dates. Redis is not
asked: wkctl rules try tells what the change would do to the cases on record.

The file has NAME=value lines; - is standard input. Its WK_SLA__, WK_SHIPMENT__ and WK_CALENDAR__ variables take the place of all present ones; every other
variable that it sets takes the place of the present one of that name.`,
		Example: `  wkctl config diff new.env
  wkctl config diff new.env -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.diff(cmd.Context(), args[0]) },
	}
}

// A diffView is what a file changes.
type diffView struct {
	Before string       `json:"rules_before"`
	After  string       `json:"rules_after"`
	Same   bool         `json:"same"` // the hash, and with it every decision
	Values []ruleChange `json:"values"`
}

func (t *tool) diff(ctx context.Context, path string) error {
	_, book, err := fleet.Load(ctx, t.environ, t.registry)
	if err != nil {
		return notUsable(err)
	}
	next, err := t.newRules(ctx, path)
	if err != nil {
		return err
	}
	v := diffView{book.Hash(), next.Hash(), book.Hash() == next.Hash(), ruleChanges(book, next.Book)}
	return t.show(v, func(w io.Writer) {
		fmt.Fprintf(w, "rules %s -> %s\n", v.Before, v.After)
		printRuleChanges(w, v.Values)
	})
}
