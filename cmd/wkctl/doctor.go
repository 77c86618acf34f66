package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"watchkeeper/workers/fleet"
)

// doctorLimit is how long an examination may take when nothing is said.
const doctorLimit = time.Minute

// A doctorAsk is what the command line says of an examination.
type doctorAsk struct {
	offline, strict bool
	allow           []string // checks that may warn or be unknown
	timeout         time.Duration
}

func (t *tool) doctorCommand() *cobra.Command {
	var ask doctorAsk
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Examine a running installation: what is wrong, and what to do",
		Long: `doctor looks at Redis, the clocks, the collector of traces, the credentials, the feeds, the records, the queues and the processes of a running
installation, and tells of each check whether it is ok, warns or fails, what was found and what to do. A check that cannot be made is unknown, or fails
where nothing can go on without it; the others go on. It changes nothing: it renews no credential, opens no epoch and sends no answer. Every record is read once, in
small pages.

Where traces are on, the collector is sent a batch without spans.

Of each platform one page of a list is read, for the time that the platform tells; it counts in the fleet's allowance. --offline leaves the
platforms unasked. Redis tells how often it writes to disk (appendfsync) only to a user who may CONFIG GET; the others are told everything else.

With --strict, --allow names checks that may warn or be unknown all the same, such as redis/replication of a single Redis: HEADING/CHECK, with a hyphen
for a space. What fails is never allowed.

Run it with the environment of the daemons: it knows from there which stores, feeds and rules there should be.

Exit codes: 0 nothing fails, 1 something fails, or with --strict warns or is unknown, 2 the arguments or the variables are wrong. It lists the
mistakes of the variables and goes on without the rules, unless one is of a variable of Redis.`,
		Example: `  wkctl doctor
  wkctl doctor --offline --strict -o json
  wkctl doctor --strict --allow redis/replication,fleet/processes
  wkctl doctor --timeout 5m`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ask.timeout < time.Second {
				return usagef("--timeout %s: want 1s or more", ask.timeout)
			}
			if err := ask.fits(); err != nil {
				return err
			}
			return t.doctor(cmd.Context(), ask)
		},
	}
	cmd.Flags().BoolVar(&ask.offline, "offline", false, "ask no platform for its time")
	cmd.Flags().BoolVar(&ask.strict, "strict", false, "exit with 1 for warnings and unknowns, too")
	cmd.Flags().StringSliceVar(&ask.allow, "allow", nil, "with --strict: checks whose warnings do not count, for example redis/replication")
	cmd.Flags().DurationVar(&ask.timeout, "timeout", doctorLimit, "how long the whole examination may take")
	return cmd
}

// doctor examines, prints, and fails where something is wrong.
func (t *tool) doctor(ctx context.Context, ask doctorAsk) error {
	config, book, problems, err := t.loadAny(ctx)
	if err != nil {
		return err
	}
	limit, cancel := context.WithTimeout(ctx, ask.timeout)
	defer cancel()
	survey, done, err := fleet.NewSurvey(limit, fleet.Options{Config: config, Book: book, Registry: t.registry, Now: t.now, Log: zap.NewNop()})
	if err != nil {
		return err
	}
	e := &examination{survey: survey, book: book, offline: ask.offline}
	e.facts = t.knownBefore(config, book, problems)
	e.run(limit)
	if err := done(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	report := newDoctorReport(e.facts.at, permit(t.scrubbed(judge(&e.facts)), ask.allow))
	if err := t.show(report, report.print); err != nil {
		return err
	}
	return report.verdict(ask.strict)
}

// scrubbed takes secrets out of what was found, which may quote errors.
func (t *tool) scrubbed(found []finding) []finding {
	for i := range found {
		found[i].Found, found[i].Do = t.scrub(found[i].Found), t.scrub(found[i].Do)
	}
	return found
}

// A doctorReport is what was found, with the numbers of each state.
type doctorReport struct {
	At       instant   `json:"at"`
	OK       int       `json:"ok"`
	Warn     int       `json:"warn"`
	Fail     int       `json:"fail"`
	Unknown  int       `json:"unknown"`
	Allowed  int       `json:"allowed"` // of those that warn or are unknown
	Findings []finding `json:"findings"`
}

func newDoctorReport(at time.Time, found []finding) doctorReport {
	r := doctorReport{At: instant{at}, Findings: found}
	for _, f := range found {
		if f.Allowed {
			r.Allowed++
		}
		switch f.State {
		case stateOK:
			r.OK++
		case stateWarn:
			r.Warn++
		case stateFail:
			r.Fail++
		case stateUnknown:
			r.Unknown++
		}
	}
	return r
}

// verdict is the error that gives the exit code.
func (r doctorReport) verdict(strict bool) error {
	if slices.ContainsFunc(r.Findings, func(f finding) bool { return f.Name == mistake }) {
		return usagef("%s; the variables here hold mistakes", r.sum())
	}
	if r.Fail > 0 || strict && r.Warn+r.Unknown > r.Allowed {
		return fmt.Errorf("%s", r.sum())
	}
	return nil
}

func (r doctorReport) sum() string {
	text := fmt.Sprintf("of %d checks %d are ok, %d warn, %d fail, %d are unknown", len(r.Findings), r.OK, r.Warn, r.Fail, r.Unknown)
	if r.Allowed > 0 {
		text += fmt.Sprintf("; allowed are %d of those that warn or are unknown", r.Allowed)
	}
	return text
}

// print writes the findings under their headings; what to do stands below a finding.
func (r doctorReport) print(w io.Writer) {
	for _, group := range groups {
		mine := slices.DeleteFunc(slices.Clone(r.Findings), func(f finding) bool { return f.Group != group })
		if len(mine) == 0 {
			continue
		}
		fmt.Fprintln(w, strings.ToUpper(group))
		tab := newTable(w)
		for _, f := range mine {
			state := f.State
			if f.Allowed {
				state += ", allowed"
			}
			tab.row("  "+state, strings.TrimSpace(f.Name+" "+string(f.Subject)), f.Found)
			if f.Do != "" {
				tab.row("  ", " ", "→ "+f.Do)
			}
		}
		tab.end()
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w, r.sum())
}
