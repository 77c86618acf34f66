package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"watchkeeper/workers/embedded"
)

// A benchRow is one figure beside the same work done with plain asynq.
type benchRow struct {
	Name  string  `json:"name"`
	Ours  float64 `json:"ours"`
	Asynq float64 `json:"asynq"`
	Ratio float64 `json:"ratio"` // how many times better: more of a rate, less of a size or a wait
	Unit  string  `json:"unit"`
}

// rate makes a row of which more is better.
func rate(name, unit string, ours, asynq float64) benchRow {
	return benchRow{Name: name, Ours: ours, Asynq: asynq, Ratio: ours / asynq, Unit: unit}
}

// less makes a row of which less is better.
func less(name, unit string, ours, asynq float64) benchRow {
	return benchRow{Name: name, Ours: ours, Asynq: asynq, Ratio: asynq / ours, Unit: unit}
}

// A bench is one run of the figures.
type bench struct {
	cases  int
	rounds int
	only   string
	output string
	notes  io.Writer
}

func benchCommand() *cobra.Command {
	b := bench{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure the fleet beside plain asynq, on a real redis-server",
		Long: `bench starts a redis-server of its own for each row, does the fleet's work and the same work with plain asynq in the same run, and prints
both. Figures of two machines cannot be compared; the ratios can.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.notes = cmd.ErrOrStderr()
			return b.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.IntVar(&b.cases, "cases", 1_000_000, "how many open cases Redis holds")
	f.IntVar(&b.rounds, "rounds", 3, "of each throughput; the median counts")
	f.StringVar(&b.only, "only", "", "one group of rows: memory, poll, record, due, lag or settle")
	f.StringVarP(&b.output, "output", "o", "table", "table or json")
	return cmd
}

// group is some rows that are measured on one server.
type group struct {
	name string
	run  func(context.Context, *rig) ([]benchRow, error)
}

func (b *bench) run(ctx context.Context, out io.Writer) error {
	if b.output != "table" && b.output != asJSON {
		return fmt.Errorf("--output %q: want table or json", b.output)
	}
	if b.cases < 1000 || b.rounds < 1 {
		return errors.New("--cases: want 1000 or more; --rounds: want 1 or more")
	}
	groups := []group{{"memory", b.memory}, {"poll", b.poll}, {"record", b.record}, {"due", b.due}, {"lag", b.lag}, {"settle", b.settle}}
	var rows []benchRow
	for _, g := range groups {
		if b.only != "" && b.only != g.name {
			continue
		}
		fmt.Fprintf(b.notes, "measuring %s…\n", g.name)
		got, err := b.measure(ctx, g)
		if err != nil {
			return fmt.Errorf("bench %s: %w", g.name, err)
		}
		rows = append(rows, got...)
	}
	if len(rows) == 0 {
		return fmt.Errorf("--only %q: want memory, poll, record, due, lag or settle", b.only)
	}
	return printRows(out, b.output, rows)
}

func (b *bench) measure(ctx context.Context, g group) ([]benchRow, error) {
	addr, stop, err := embedded.StartRedis(ctx)
	if err != nil {
		return nil, err
	}
	defer stop()
	r, err := newRig(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer r.close()
	return g.run(ctx, r)
}

func printRows(out io.Writer, format string, rows []benchRow) error {
	if format == asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tours\tasynq\tratio\tunit\t")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%.4g\t%.4g\t%.1f×\t%s\t\n", r.Name, r.Ours, r.Asynq, r.Ratio, r.Unit)
	}
	return w.Flush()
}

// median does something n times and gives the middle figure.
func median(n int, once func() (float64, error)) (float64, error) {
	all, err := inTurn(n, once)
	if err != nil {
		return 0, err
	}
	return all[0], nil
}

// inTurn does several things one after the other, n rounds of all, and gives the middle figure of each: a machine that is busy for a minute is
// busy for what is compared, too.
func inTurn(n int, once ...func() (float64, error)) ([]float64, error) {
	figures := make([][]float64, len(once))
	for range n {
		for i, do := range once {
			v, err := do()
			if err != nil {
				return nil, err
			}
			figures[i] = append(figures[i], v)
		}
	}
	out := make([]float64, len(once))
	for i, all := range figures {
		slices.Sort(all)
		out[i] = all[len(all)/2]
	}
	return out, nil
}

// perSecond times something that does n things.
func perSecond(n int, do func() error) (float64, error) {
	start := time.Now()
	if err := do(); err != nil {
		return 0, err
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// used is how much memory a Redis uses.
func used(ctx context.Context, rdb redis.UniversalClient) (float64, error) {
	info, err := rdb.InfoMap(ctx, "memory").Result()
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	var n float64
	if _, err := fmt.Sscan(info["Memory"]["used_memory"], &n); err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return n, nil
}
