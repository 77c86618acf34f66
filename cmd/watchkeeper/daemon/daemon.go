// Package daemon is the program watchkeeper: it turns the environment and signals into a fleet, and knows nothing else. It is a package so that the
// image can hold both programs in one file: cmd/wkctl is this one when it is called by its name. It may import workers/fleet and connectors/all.
package daemon

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"watchkeeper/connectors/all"
	"watchkeeper/workers/fleet"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // something outside failed: Redis, the network
	exitUsage  = 2 // the configuration is wrong
)

// Name is what the program is called.
const Name = "watchkeeper"

// Main runs this process as the program, until it is told to stop, and gives its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
}

const usage = `watchkeeper answers marketplace disputes before the platform's clock runs out.

It takes no arguments: everything is set by environment variables that begin with WK_. See "wkctl config docs" and deploy/env.md. Traces are on when
OTEL_EXPORTER_OTLP_ENDPOINT names a collector.

  watchkeeper            run until SIGTERM
  watchkeeper --version  print the version
`

// run is the whole program; everything it needs is an argument.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) > 0 {
		return inform(args, stdout, stderr)
	}
	redactor := fleet.Redactor(environ)
	config, book, err := fleet.Check(ctx, environ, all.Platforms(), time.Now)
	if err != nil {
		refuse(config.Log, stderr, redactor, err)
		return exitUsage
	}
	core, err := logCore(config.Log, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "watchkeeper: %v\n", err)
		return exitUsage
	}
	log := zap.New(redactor.Core(core))
	redis.SetLogger(quietRedis{log.Named("redis")})
	defer func() { _ = log.Sync() }() // stderr of a terminal cannot be synced, and there is nobody left to tell
	log.Info("starting", zap.String("version", fleet.Version()))
	f, err := fleet.New(ctx, fleet.Options{Config: config, Book: book, Registry: all.Platforms(), Now: time.Now, Log: log, Redactor: redactor})
	switch {
	case err != nil && ctx.Err() != nil:
		log.Info("told to stop: stopped while starting", zap.Error(err))
		return exitOK
	case err != nil:
		log.Error("not started", zap.Error(err), advice(err))
		return exitFailed
	}
	if err := f.Run(ctx); err != nil {
		log.Error("stopped", zap.Error(err), advice(err))
		return exitFailed
	}
	log.Info("stopped")
	return exitOK
}

// redactor takes secrets out of a text and out of the log.
type redactor interface {
	String(text string) string
	Core(core zapcore.Core) zapcore.Core
}

// refuse tells what is wrong with the configuration: one line of the log for each mistake, and to a person at a terminal, or who wants the log for
// people, plain text.
func refuse(c fleet.Log, stderr io.Writer, redactor redactor, mistakes error) {
	const says = "the configuration is not usable"
	core, err := logCore(fleet.Log{Level: zapcore.ErrorLevel.String(), Format: c.Format}, stderr)
	if c.Format == formatConsole || isTerminal(stderr) || err != nil {
		fmt.Fprintf(stderr, "watchkeeper: %s:\n%s\n", says, redactor.String(mistakes.Error()))
		return
	}
	log := zap.New(redactor.Core(core))
	for _, m := range fleet.Mistakes(mistakes) {
		log.Error(says, zap.String("mistake", m.Text))
	}
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// advice says what to do about an error, where that is known.
func advice(err error) zap.Field {
	if do := fleet.Advice(err); do != "" {
		return zap.String("do", do)
	}
	return zap.Skip()
}

// inform answers the few arguments there are.
func inform(args []string, stdout, stderr io.Writer) int {
	switch args[0] {
	case "--version", "-version", "version":
		fmt.Fprintln(stdout, "watchkeeper", fleet.Version())
		return exitOK
	case "--help", "-h", "-help", "help":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	fmt.Fprintf(stderr, "watchkeeper: unknown argument %q\n\n%s", args[0], usage)
	return exitUsage
}

// formatConsole is the log for people.
const formatConsole = "console"

// logCore makes what the process' logger writes with.
func logCore(c fleet.Log, out io.Writer) (zapcore.Core, error) {
	level, err := zap.ParseAtomicLevel(c.Level)
	if err != nil {
		return nil, fmt.Errorf("WK_LOG__LEVEL: %w", err)
	}
	config := zap.NewProductionEncoderConfig()
	config.EncodeTime = zapcore.ISO8601TimeEncoder
	config.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(config)
	if c.Format == formatConsole {
		encoder = zapcore.NewConsoleEncoder(config)
	}
	return zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(out)), level), nil
}

// quietRedis takes the client's own lines, many a second while Redis is away, out of the way: whoever calls Redis reports its failures.
type quietRedis struct{ log *zap.Logger }

// Printf implements the client's logger.
func (q quietRedis) Printf(_ context.Context, format string, args ...any) {
	q.log.Debug("redis client", zap.String("said", fmt.Sprintf(format, args...)))
}
