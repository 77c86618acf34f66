package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/connectors/simulator"
	"watchkeeper/workers/embedded"
	"watchkeeper/workers/fleet"
)

// An outcome is what became of a case that was open, and not answered, when the rules changed: the first answer of the fleet after it.
type outcome struct {
	Case   string     `json:"case"`
	At     *time.Time `json:"at"`     // null without an answer
	Answer string     `json:"answer"` // accept, offer or refuse; empty without one
	Amount string     `json:"amount"`
	id     string     // as the platform knows it
}

// A change is an instant at which other rules begin, and the cases that were open then.
type change struct {
	at    time.Time
	cases []outcome
}

// begin notes the cases that are open, and starts the fleet anew under the rules of a file where there is one.
func (c *change) begin(ctx context.Context, house *embedded.House, file []string) error {
	c.at = house.Now()
	open, err := house.Open(ctx)
	if err != nil {
		return err
	}
	for _, o := range open {
		if !o.Answered {
			c.cases = append(c.cases, outcome{Case: o.ID.String(), id: o.ID.Native})
		}
	}
	slices.SortFunc(c.cases, func(a, b outcome) int { return strings.Compare(a.Case, b.Case) })
	if len(file) == 0 {
		return nil
	}
	return house.Change(ctx, file)
}

// answers fills in what the platforms' own log tells.
func (c *change) answers(log []simulator.Entry) []outcome {
	for n := range c.cases {
		for _, e := range log {
			if e.Subject == c.cases[n].id && e.Actor == simulator.ActorSeller && !e.At.Before(c.at) && c.cases[n].told(e) {
				break
			}
		}
	}
	return c.cases
}

// told takes an entry that is an answer.
func (o *outcome) told(e simulator.Entry) bool {
	switch {
	case e.Kind == simulator.KindAgreed:
		o.Answer = "accept"
	case e.Kind == simulator.KindProposed && e.Amount.Minor > 0:
		o.Answer = "offer"
	case e.Kind == simulator.KindProposed:
		o.Answer = "refuse"
	default:
		return false
	}
	o.At, o.Amount = &e.At, e.Amount.String()
	return true
}

func (c *change) print(out io.Writer) {
	fmt.Fprintf(out, "\nThe %d cases that waited for an answer on %s, and the first answer of the fleet to each after it\n", len(c.cases), c.at.Format("02 Jan 15:04"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, o := range c.cases {
		if o.At == nil {
			fmt.Fprintf(w, "  %s\tnone\n", o.Case)
			continue
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", o.Case, o.At.Format(time.RFC3339), o.Answer, o.Amount)
	}
	_ = w.Flush() // to the same writer as above
}

// keep writes the environment of the fleet to a file, for wkctl.
func (d *demo) keep(cmd *cobra.Command, house *embedded.House) error {
	if d.writeEnv == "" {
		return nil
	}
	text := strings.Join(house.Environ(), "\n") + "\n"
	if err := os.WriteFile(d.writeEnv, []byte(text), 0o600); err != nil {
		return fmt.Errorf("--write-env: %w", err)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "The records stay in Redis at %s. To see them as of the end: env $(cat %s) wkctl rules try NEW.env --at %s\n", d.redis, d.writeEnv,
		house.Now().Format(time.RFC3339))
	return nil
}

// play moves the clock to the end, with the change of rules on its day.
func (d *demo) play(ctx context.Context, house *embedded.House, pace func(context.Context, time.Duration) error) (*change, error) {
	start := house.Now()
	dayN := func(n int) time.Time { return start.AddDate(0, 0, n) }
	end := d.days
	if d.until > 0 {
		end = d.until
	}
	if d.changeAt == 0 {
		return nil, house.Until(ctx, dayN(end), pace)
	}
	if err := house.Until(ctx, dayN(d.changeAt), pace); err != nil {
		return nil, err
	}
	c := &change{}
	if err := c.begin(ctx, house, d.file); err != nil {
		return nil, err
	}
	return c, house.Until(ctx, dayN(end), pace)
}

// readFile reads the rules of --env, and checks the flags that belong to it.
func (d *demo) readFile() error {
	if d.until < 0 || d.until > d.days || d.changeAt < 0 || d.changeAt >= d.days {
		return fmt.Errorf("--until %d, --change-at %d: want days within --days %d", d.until, d.changeAt, d.days)
	}
	if d.withoutFleet && (d.env != "" || d.changeAt > 0 || d.writeEnv != "") {
		return errors.New("--without-fleet: nobody obeys --env or --change-at then, and --write-env has no records to find")
	}
	if d.writeEnv != "" && d.redis == "" {
		return errors.New("--write-env: the records of an embedded Redis end with the demonstration; give it one with --redis")
	}
	if d.env == "" {
		return nil
	}
	var err error
	if d.file, err = fleet.ReadEnvFile(d.env); err != nil {
		return fmt.Errorf("--env: %w", err)
	}
	return nil
}
