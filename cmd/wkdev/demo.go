package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"watchkeeper/connectors/simulator"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/handle"
)

// A demo is one demonstration, as its flags say.
type demo struct {
	days, disputes, shipments int
	seed                      uint64
	faults, withoutFleet      bool
	verbose                   bool
	redis, output             string

	env, writeEnv   string   // paths of files of variables
	file            []string // what is in the first
	until, changeAt int      // days
}

// watched is how long the demonstration lasts when it is paced for watching.
const (
	watchedDays = 3
	hourlyPace  = time.Second // of real time, for an hour of the virtual clock
)

func (d *demo) run(cmd *cobra.Command) error {
	if d.output != "text" && d.output != asJSON {
		return fmt.Errorf("--output %q: want text or json", d.output)
	}
	if d.days < 0 || d.disputes < 0 || d.shipments < 0 {
		return errors.New("--days, --disputes and --shipments: want no negative number")
	}
	// The embedded Redis makes an interpreter for each script, and most of the time would go into collecting them.
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	paced := d.days == 0
	if paced {
		d.days = watchedDays
	}
	if err := d.readFile(); err != nil {
		return err
	}
	progress := cmd.OutOrStdout()
	if d.output == asJSON {
		progress = cmd.ErrOrStderr()
	}
	v := newView(progress, paced)
	house, err := embedded.New(cmd.Context(), d.options(v, cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	defer house.Close()
	v.begin(house, d)
	defer v.end()
	pace := wait
	if !paced {
		pace = nil
	}
	changed, err := d.play(cmd.Context(), house, pace)
	if err != nil {
		return err
	}
	return errors.Join(d.keep(cmd, house), d.close(cmd.OutOrStdout(), house, v, changed))
}

// options make the world: busy enough that something happens every hour.
func (d *demo) options(v *view, stderr io.Writer) embedded.Options {
	world := simulator.Options{Seed: d.seed, Days: d.days, Disputes: d.disputes, Shipments: d.shipments, Person: !d.withoutFleet}
	if world.Disputes == 0 {
		world.Disputes = 8 * d.days
	}
	if world.Shipments == 0 {
		world.Shipments = 12 * d.days
	}
	if d.faults {
		world.Faults = simulator.AllFaults()
	}
	core := zapcore.NewTee(v)
	if d.verbose {
		config := zap.NewDevelopmentEncoderConfig()
		core = zapcore.NewTee(v, zapcore.NewCore(zapcore.NewConsoleEncoder(config), zapcore.AddSync(stderr), zap.InfoLevel))
	}
	var file []string
	if d.changeAt == 0 {
		file = d.file
	}
	return embedded.Options{
		File: file, World: world, NoFleet: d.withoutFleet, Redis: d.redis, Log: zap.New(core), OnStep: v.step,
		OnNotice: func(kind string, n handle.Notice) { v.notice(kind, n) },
	}
}

// wait makes an hour of the virtual clock last a second.
func wait(ctx context.Context, step time.Duration) error {
	t := time.NewTimer(time.Duration(float64(step) / float64(time.Hour) * float64(hourlyPace)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// close prints the ledger and says whether the promises held.
func (d *demo) close(out io.Writer, house *embedded.House, v *view, changed *change) error {
	l := newLedger(house.World.Report(), v.pagedCases())
	if changed != nil {
		l.Changed = changed.answers(house.World.Log())
	}
	if d.output == asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(l); err != nil {
			return fmt.Errorf("print ledger: %w", err)
		}
	} else {
		l.print(out, d.withoutFleet)
		if changed != nil {
			changed.print(out)
		}
	}
	if !d.withoutFleet && (l.Breached > 0 || l.DoubleEffects > 0) {
		return fmt.Errorf("%w: %d deadlines breached, %d double effects", errBroken, l.Breached, l.DoubleEffects)
	}
	return nil
}
