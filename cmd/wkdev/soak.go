package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/workers/embedded/soak"
)

// workerCommand is the hidden command that the soak starts and kills.
const workerCommand = "soak-worker"

// soakRun is one soak, as its flags say.
type soakRun struct {
	soak.Options
	minutes float64
	flush   bool
	output  string
}

func soakCommand() *cobra.Command {
	var s soakRun
	cmd := &cobra.Command{
		Use:   "soak",
		Short: "Kill real daemons under load, or empty their Redis, and let the platform judge",
		Long: `soak builds the daemon, starts two of them with a real redis-server (AOF everysec, noeviction) and the simulated platform on the real
clock, and kills one of them every few seconds while answers fall due. With --flush it empties Redis once instead, in the midst of answering.
What it prints is from the platform's own log. The exit code is 3 when a promise was broken.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Float64Var(&s.minutes, "minutes", 10, "how long answers fall due")
	f.IntVar(&s.Cases, "cases", 10_000, "open cases")
	f.IntVar(&s.Stores, "stores", 20, "stores that they belong to")
	f.IntVar(&s.Rate, "rate", 0, "calls a second that a store's platform allows (default: 50, with --flush 10)")
	f.DurationVar(&s.Every, "every", 5*time.Second, "between two kills")
	f.DurationVar(&s.Latency, "latency", 100*time.Millisecond, "how long each call to the platform takes")
	f.Uint64Var(&s.Seed, "seed", 1, "which disputes there are, and who is killed")
	f.BoolVar(&s.flush, "flush", false, "empty Redis instead of killing daemons")
	f.StringVarP(&s.output, "output", "o", "table", "table or json")
	return cmd
}

func (s *soakRun) run(ctx context.Context, out, notes io.Writer) error {
	if s.output != "table" && s.output != asJSON {
		return fmt.Errorf("--output %q: want table or json", s.output)
	}
	s.For, s.Now, s.Notes = time.Duration(s.minutes*float64(time.Minute)), time.Now, notes
	if s.Rate == 0 {
		s.Rate = 50
		if s.flush {
			s.Rate = 10
		}
	}
	if s.flush {
		r, err := soak.Rebuild(ctx, s.Options)
		if err != nil {
			return err
		}
		return s.print(out, r, r.Kept(), [][2]any{
			{"cases", r.Cases}, {"open when Redis was emptied", r.Open}, {"answered in time", r.Answered}, {"late", r.Late}, {"twice", r.Twice},
			{"reconciled after, s", r.Reconciled}, {"least that the allowances permit, s", r.Least}, {"answering again after, s", r.Answering},
			{"of it frozen, s", r.Frozen},
		})
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	s.Worker = []string{self, workerCommand}
	r, err := soak.Run(ctx, s.Options)
	if err != nil {
		return err
	}
	return s.print(out, r, r.Kept(), [][2]any{
		{"cases", r.Cases}, {"answered in time", r.Answered}, {"late", r.Late}, {"twice", r.Twice}, {"kills", r.Kills}, {"cases held by the killed", r.Held},
		{"taken up after, p50, s", r.LagP50}, {"taken up after, p99, s", r.LagP99}, {"taken up after, longest, s", r.LagMax},
		{"plain asynq takes, s", r.Asynq}, {"seconds", r.Seconds}, {"memory of a daemon, most, MiB", float64(r.Memory) / (1 << 20)},
	})
}

// print prints a result; one that breaks a promise is an error after it.
func (s *soakRun) print(out io.Writer, result any, kept bool, rows [][2]any) error {
	if s.output == asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(result); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	} else {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			if f, ok := r[1].(float64); ok {
				r[1] = fmt.Sprintf("%.2f", f)
			}
			fmt.Fprintf(w, "%v\t%v\n", r[0], r[1])
		}
		if err := w.Flush(); err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
	}
	if !kept {
		return errBroken
	}
	return nil
}

// soakWorkerCommand is a process that the soak kills.
func soakWorkerCommand() *cobra.Command {
	return &cobra.Command{
		Use: workerCommand + " REDIS", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return soak.Worker(cmd.Context(), args[0], cmd.OutOrStdout())
		},
	}
}
