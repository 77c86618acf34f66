package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// A completion is a function that proposes words for what stands before the cursor.
type completion = cobra.CompletionFunc

// complete lets the shell complete the values of flags, and the names of variables and files. It asks the environment only, never Redis.
func (t *tool) complete(root *cobra.Command) {
	byFlag := map[string]completion{
		"output":    t.formats,
		"store":     t.proposed(storeNames),
		"scope":     t.proposed(t.scopeNames),
		"platform":  t.proposed(func(*rules.Book) []string { return namesOf(t.registry.Names()) }),
		"reason":    t.proposed(func(*rules.Book) []string { return stringsOf(sla.Reasons()) }),
		"anomaly":   t.proposed(func(*rules.Book) []string { return stringsOf(sla.AnomalyKinds()) }),
		"milestone": t.proposed(func(*rules.Book) []string { return stringsOf(sla.Milestones()) }),
		"state":     cobra.FixedCompletions([]cobra.Completion{"open", "closed", "all"}, cobra.ShellCompDirectiveNoFileComp),
	}
	for _, name := range []string{"note", "by", "turn", "at", "since", "due-within", "limit", "audit", "timeout"} {
		byFlag[name] = cobra.NoFileCompletions
	}
	for _, cmd := range tree(root) {
		for name, propose := range byFlag {
			if cmd.LocalNonPersistentFlags().Lookup(name) != nil || cmd.PersistentFlags().Lookup(name) != nil {
				_ = cmd.RegisterFlagCompletionFunc(name, propose) // it fails for a flag that is not there or has one, and neither is so
			}
		}
		switch {
		case cmd.Annotations[formatEnv] != "":
			cmd.ValidArgsFunction = t.proposed(func(*rules.Book) []string { return t.shortNames() })
		case slices.Contains(takeFiles, cmd.Name()):
		default:
			cmd.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
}

// takeFiles are the commands whose arguments are files.
var takeFiles = []string{"try", "diff", "replay"}

// tree lists a command and all below it.
func tree(cmd *cobra.Command) []*cobra.Command {
	out := []*cobra.Command{cmd}
	for _, c := range cmd.Commands() {
		out = append(out, tree(c)...)
	}
	return out
}

// proposed makes a completion of words that may depend on the configuration; of one with mistakes, what can be read counts.
func (t *tool) proposed(words func(*rules.Book) []string) completion {
	return func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return words(t.readable(cmd.Context())), cobra.ShellCompDirectiveNoFileComp
	}
}

// readable is the rulebook as far as it can be read; an empty one when it cannot.
func (t *tool) readable(ctx context.Context) *rules.Book {
	_, book, err := fleet.Load(ctx, t.environ, t.registry)
	if book == nil {
		_, book, _ = fleet.Load(ctx, bare(t.environ, problemsOf(err)), t.registry)
	}
	if book == nil {
		_, book, _ = fleet.Load(ctx, nil, t.registry)
	}
	return book
}

func (t *tool) formats(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	out := []string{formatTable, formatJSON}
	if cmd.Annotations[formatEnv] != "" {
		out = append(out, formatEnv)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// scopeNames are all scopes of kill switches.
func (t *tool) scopeNames(b *rules.Book) []string {
	names := t.territory(b, nil).names()
	out := slices.Clone(names)
	for _, name := range names {
		for _, reason := range reasonNames() {
			out = append(out, name+"/"+reason)
		}
	}
	return out
}

func storeNames(b *rules.Book) []string {
	var out []string
	for _, s := range b.Stores() {
		out = append(out, string(s.ID))
	}
	return out
}

func namesOf[T ~string](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = string(v)
	}
	return out
}

func stringsOf[T interface{ String() string }](all []T) []string {
	out := make([]string, len(all))
	for i, v := range all {
		out[i] = v.String()
	}
	return out
}
