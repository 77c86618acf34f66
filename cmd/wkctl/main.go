// Command wkctl is the operator's hand: it reads the records of a fleet, explains decisions, examines a running installation, checks and prints
// the configuration, replays recorded replies of platforms, says yes or no to answers that wait, and throws kill switches. Only the last two
// change anything, and only the records of the fleet: it sends nothing to a platform but a question of doctor for a page, and nothing to people but notify
// test. It promises that no
// secret is ever printed, and that text from platforms cannot command a terminal. It may import workers/fleet and whatever is below it, and the daemon.
//
// Called by the daemon's name it is the daemon: the two share nearly all of their code, and the image holds it once.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"watchkeeper/cmd/watchkeeper/daemon"
	"watchkeeper/connectors"
	"watchkeeper/connectors/all"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
)

//go:generate go run . config docs --write ../../deploy/env.md

// Exit codes.
const (
	exitOK       = 0
	exitFailed   = 1 // something outside failed: Redis, the network, a strict replay, a check of doctor
	exitUsage    = 2 // the arguments or the configuration are wrong
	exitNotFound = 3
	exitRefused  = 4 // the case is not as the operator believes; nothing was changed
)

func main() {
	if filepath.Base(os.Args[0]) == daemon.Name {
		os.Exit(daemon.Main())
	}
	logging.Disable() // the Redis client would write lines of its own between ours
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program; everything it needs but the clock and the list of platforms is an argument.
func run(ctx context.Context, args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	t := &tool{environ: environ, in: stdin, out: stdout, err: stderr, now: time.Now, registry: all.Platforms()}
	return t.run(ctx, args)
}

// A failure has an exit code of its own; every other error is something outside.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usagef is a mistake in the arguments or the configuration.
func usagef(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// notFound says that there is no such thing.
func notFound(what, id string) error {
	return &failure{exitNotFound, fmt.Errorf("%s %s: not found", what, clean(id))}
}

// A tool is one run of the program.
type tool struct {
	environ  []string
	in       io.Reader
	out, err io.Writer
	now      func() time.Time
	registry connectors.Registry

	format  string // table or json
	started bool   // the command line was understood
}

func (t *tool) run(ctx context.Context, args []string) int {
	cmd := t.root() //nolint:contextcheck // the commands get the context of ExecuteContext
	cmd.SetArgs(args)
	cmd.SetIn(t.in)
	cmd.SetOut(t.out)
	cmd.SetErr(t.err)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(t.err, "wkctl: %s\n", t.scrub(t.advise(err)))
	var f *failure
	switch {
	case !t.started:
		return exitUsage
	case errors.As(err, &f):
		return f.code
	}
	return exitFailed
}

// advise adds what an operator should look at.
func (t *tool) advise(err error) string {
	switch {
	case !t.started:
		return clean(err.Error()) + " (see wkctl --help)"
	case fleet.Refused(err):
		return fmt.Sprintf("Redis lets us not in; %s: %v", remedy(err), err)
	case errors.Is(err, sla.ErrStoreOut):
		return fmt.Sprintf("Redis does not answer; WK_REDIS__ADDRS says where it is: %v", err)
	}
	return err.Error()
}

func (t *tool) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "wkctl",
		Version: fleet.Version(),
		Short:   "Look into Watchkeeper: cases, parcels, decisions, configuration; say yes or no, and stop it",
		Long: `wkctl reads what the fleet knows and explains what it does. It sends no answer to a platform, and most of its commands change nothing.
These do: cases hold, approve, reject and release record what you say about an answer, and kill-switch on and off stop answers and let them
go again; both change the records in Redis, which the fleet obeys. config docs --write writes the file that you name. doctor
alone asks platforms, for a page of a list, unless it is --offline. notify test posts to your webhooks.

It is configured by the same WK_ variables as watchkeeper; most commands need only WK_REDIS__ADDRS.

Exit codes: 0 all is well, 1 something outside failed (Redis, the network, a check of doctor), 2 the arguments or the configuration are wrong, 3 not found,
4 refused, because a case is not as you believe.`,
		Example: `  wkctl cases ls --due-within 24h
  wkctl explain AE01/9123456789012345
  wkctl cases approve AE01/9123456789012345 --note "spoke to the buyer"
  wkctl kill-switch on --scope all --note "wrong prices in the shop"
  wkctl config check
  wkctl doctor`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          help,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			t.started = true
			return t.checkFormat(cmd)
		},
	}
	cmd.PersistentFlags().StringVarP(&t.format, "output", "o", formatTable, "table or json")
	cmd.AddCommand(t.casesCommand(), t.explainCommand(), t.shipmentsCommand(), t.platformsCommand(), t.configCommand(), t.rulesCommand(), t.shadowCommand(),
		t.killCommand(), t.replayCommand(), t.doctorCommand(), t.notifyCommand())
	t.complete(cmd)
	return cmd
}

// checkFormat refuses a form of output that the command does not have.
func (t *tool) checkFormat(cmd *cobra.Command) error {
	switch {
	case t.format == formatTable, t.format == formatJSON, t.format == formatEnv && cmd.Annotations[formatEnv] != "":
		return nil
	case cmd.Annotations[formatEnv] != "":
		return usagef("--output %q: want table, json or env", clean(t.format))
	}
	return usagef("--output %q: want table or json", clean(t.format))
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Args: cobra.NoArgs, RunE: help}
	cmd.AddCommand(commands...)
	return cmd
}

func help(cmd *cobra.Command, _ []string) error { return cmd.Help() }
