package main

import (
	"context"
	"io"
	"time"

	"watchkeeper/sla/rules"
	"watchkeeper/workers/fleet"
)

// A rulebook is a book with the dates at which its rules change by themselves.
type rulebook struct {
	*rules.Book
	eras []time.Time
}

func rulebookOf(b *rules.Book) rulebook { return rulebook{b, b.Eras()} }

// stdin in place of a path is standard input.
const stdin = "-"

// entries reads a file of variables.
func (t *tool) entries(path string) ([]string, error) {
	if path == stdin {
		return fleet.ReadEnv(t.in, "standard input")
	}
	return fleet.ReadEnvFile(path)
}

// newRules loads the rulebook that a file would make. What is wrong with it is shown as config check does.
func (t *tool) newRules(ctx context.Context, path string) (rulebook, error) {
	entries, err := t.entries(path)
	if err != nil {
		return rulebook{}, usagef("%w", err)
	}
	next := *t
	next.environ = fleet.WithRules(t.environ, entries)
	_, book, err := fleet.Load(ctx, next.environ, t.registry)
	if err == nil {
		return rulebookOf(book), nil
	}
	v := checkView{Problems: problemsOf(err)}
	for i := range v.Problems {
		v.Problems[i].Detail = next.scrub(v.Problems[i].Detail)
	}
	if err := t.show(v, func(w io.Writer) { v.print(w) }); err != nil {
		return rulebook{}, err
	}
	if path == stdin {
		path = "standard input"
	}
	return rulebook{}, usagef("%s: %d problem(s)", clean(path), len(v.Problems))
}
