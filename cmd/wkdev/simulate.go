package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"watchkeeper/workers/embedded"
	"watchkeeper/workers/simulation"
)

// A simulate is one run of many worlds.
type simulate struct {
	plan   simulation.Plan
	redis  bool
	story  bool
	output string
}

func simulateCommand() *cobra.Command {
	s := simulate{}
	cmd := &cobra.Command{
		Use:   "simulate",
		Short: "Play many lifetimes of disputes under every fault, and judge them",
		Long: `simulate plays worlds: a fleet of three processes on a virtual clock, its Redis, its queue and the platforms with their buyers, in which
processes die and freeze, Redis forgets, and platforms fail in every way, and holds what happened against the invariants by the platforms'
own logs. The same seed gives the same world. It exits with 3 when an invariant was violated, and tells the shortest story of how.`,
		Example: `  wkdev simulate --seeds 200 --cases 5000   a million lifetimes
  wkdev simulate --first 17 --seeds 1       one world again
  wkdev simulate --redis --seeds 10         the same on the real scripts and a real redis-server`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return s.run(cmd) },
	}
	f := cmd.Flags()
	f.Uint64Var(&s.plan.First, "first", 1, "the first seed")
	f.IntVar(&s.plan.Seeds, "seeds", 20, "how many worlds")
	f.IntVar(&s.plan.Cases, "cases", 1000, "disputes in each world")
	f.IntVar(&s.plan.AtOnce, "at-once", runtime.GOMAXPROCS(0), "worlds played at the same time; 1 with --redis")
	f.BoolVar(&s.redis, "redis", false, "keep the state in a real redis-server, started for this, instead of in memory")
	f.BoolVar(&s.story, "story", true, "look for the shortest story of the first violation")
	f.StringVarP(&s.output, "output", "o", "text", "text or json")
	return cmd
}

func (s *simulate) run(cmd *cobra.Command) error {
	if s.output != "text" && s.output != asJSON {
		return fmt.Errorf("--output %q: want text or json", s.output)
	}
	if s.plan.Seeds < 1 || s.plan.Cases < 1 {
		return fmt.Errorf("--seeds %d --cases %d: want at least one of each", s.plan.Seeds, s.plan.Cases)
	}
	s.plan.Faults = simulation.All
	s.plan.Server = func() simulation.Server { return simulation.NewInMemory() }
	if s.redis {
		addr, stop, err := embedded.StartRedis(cmd.Context())
		if err != nil {
			return err
		}
		defer stop()
		rdb := redis.NewClient(&redis.Options{Addr: addr})
		defer func() { _ = rdb.Close() }()
		s.plan.AtOnce = 1
		s.plan.Server = func() simulation.Server {
			r := simulation.Real{Client: rdb}
			r.Flush()
			return r
		}
	}
	debug.SetGCPercent(1200) // worlds are small and short-lived
	done, notes := 0, cmd.ErrOrStderr()
	s.plan.Planned = func(r simulation.Result) {
		done++
		_, _ = fmt.Fprintf(notes, "%d/%d: seed %d, %d lifetimes in %.0f days, %d answered, %d processes died, %d violations\n",
			done, s.plan.Seeds, r.Seed, r.Lifetimes, r.Days, r.Answered, r.Crashes, len(r.Violations))
	}
	started := time.Now()
	sum := simulation.Play(cmd.Context(), s.plan, func() time.Duration { return time.Since(started) })
	if err := cmd.Context().Err(); err != nil {
		return err
	}
	if s.story && len(sum.Failed) > 0 {
		sum.Story = simulation.Shortest(simulation.Options{Seed: sum.Failed[0].Seed, Cases: s.plan.Cases, Faults: s.plan.Faults}, s.plan.Server)
	}
	if err := s.print(cmd.OutOrStdout(), sum); err != nil {
		return err
	}
	if sum.Violations > 0 {
		return fmt.Errorf("%d violations in %d lifetimes: %w", sum.Violations, sum.Lifetimes, errBroken)
	}
	return nil
}

func (s *simulate) print(out io.Writer, sum simulation.Summary) error {
	if s.output == asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(sum)
	}
	_, err := fmt.Fprintf(out, "%d lifetimes in %.1f s: %d turns answered, %d people paged, %d deadlines passed of which a person knew, %d processes died\n"+
		"late %d, twice %d, violations %d\n"+
		"(Every fault is on, money is scarce, and people answer half of what they are paged for: a deadline that passed of which a person knew is theirs.)\n",
		sum.Lifetimes, sum.Seconds, sum.Answered, sum.Pages, sum.Breaches-sum.Late, sum.Crashes, sum.Late, sum.Twice,
		sum.Violations)
	if err != nil || sum.Story == nil {
		return err
	}
	t := sum.Story
	if _, err := fmt.Fprintf(out, "\nThe shortest story: seed %d, %d cases, faults %s\n", t.Seed, t.Cases, t.Faults); err != nil {
		return err
	}
	for _, line := range t.Lines {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	return nil
}
