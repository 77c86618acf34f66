// Command wkdev shows the whole program at work on a developer's machine: simulated platforms, embedded Redis and the same fleet as in
// production, on a virtual clock. It may import everything of ours; nothing imports it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"watchkeeper/workers/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// asJSON is the output format of programs.
const asJSON = "json"

// errBroken means that a promise did not hold in a demonstration.
var errBroken = errors.New("a promise was broken")

// run is the whole program; it answers the exit code: 1 when something failed, 3 when a promise was broken.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cmd := rootCommand()
	cmd.SetArgs(args)
	cmd.SetOut(stdout)
	cmd.SetErr(stderr)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "wkdev: interrupted")
		return 130
	case errors.Is(err, errBroken):
		fmt.Fprintln(stderr, "wkdev:", err)
		return 3
	}
	fmt.Fprintln(stderr, "wkdev:", err)
	return 1
}

func rootCommand() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:     "wkdev",
		Version: fleet.Version(),
		Short:   "Watch Watchkeeper at work: simulated marketplaces, embedded Redis, the real fleet",
		Long: `wkdev plays the whole job in one process, on a virtual clock: buyers open disputes, parcels stick in customs, and the fleet
answers before the platform's clock runs out. Without flags it is paced for watching: one second is one hour, three days long.
With --days it runs as fast as it can. It ends with a ledger that is taken from the platforms' own log.`,
		Example: `  wkdev                            three days, one second an hour
  wkdev --days 30 --seed 1         a month, as fast as it goes
  wkdev --days 30 --without-fleet  the same month with nobody on watch
  wkdev --days 30 --faults         every platform misbehaviour on
  wkdev --days 30 --env new.env    the same month under your own rules
  wkdev bench                      figures, beside plain asynq
  wkdev simulate                   many lifetimes under every fault, judged
  wkdev soak                       two real daemons, killed every five seconds`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	cmd.AddCommand(benchCommand(), simulateCommand(), soakCommand(), soakWorkerCommand())
	f := cmd.Flags()
	f.IntVar(&d.days, "days", 0, "how many days to play, as fast as possible (default: three days, paced)")
	f.Uint64Var(&d.seed, "seed", 1, "which month to play; the same seed gives the same month")
	f.IntVar(&d.disputes, "disputes", 0, "how many disputes buyers open (default: 8 a day)")
	f.IntVar(&d.shipments, "shipments", 0, "how many parcels are under way (default: 12 a day)")
	f.BoolVar(&d.faults, "faults", false, "let the platforms misbehave in every way they can")
	f.BoolVar(&d.withoutFleet, "without-fleet", false, "nobody is on watch: what silence costs")
	f.StringVar(&d.redis, "redis", "", "host:port of a Redis to use instead of the embedded one; it must be empty")
	f.StringVar(&d.env, "env", "", "a file of variables; its rules take the place of the demonstration's, as in wkctl rules try")
	f.IntVar(&d.changeAt, "change-at", 0, "after so many days the rules of --env begin, and what becomes of the cases open then is listed")
	f.IntVar(&d.until, "until", 0, "end after so many days of the month (default: all of --days)")
	f.StringVar(&d.writeEnv, "write-env", "", "write the variables with which wkctl finds the records to this file; needs --redis")
	f.BoolVar(&d.verbose, "log", false, "show the fleet's own log on standard error")
	f.StringVarP(&d.output, "output", "o", "text", "text or json")
	return cmd
}
