package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/playbook"
	"watchkeeper/workers/fleet"
)

// A shipmentView is one parcel of one reply.
type shipmentView struct {
	origin
	At          instant       `json:"at"`
	AtFrom      string        `json:"at_from"`
	Number      string        `json:"number"`
	Carrier     words         `json:"carrier"`
	Order       words         `json:"order"`
	Status      string        `json:"status"`
	Milestone   string        `json:"milestone"`
	Origin      words         `json:"origin"`
	Destination words         `json:"destination"`
	Events      int           `json:"events"`
	LastEvent   instant       `json:"last_event"`
	Anomalies   []anomalyView `json:"anomalies"`
}

// An anomalyView is one thing that is wrong with a parcel.
type anomalyView struct {
	Kind  string  `json:"kind"`
	Since instant `json:"since"`
	From  string  `json:"from"`
}

// A disputeView is one dispute of one reply.
type disputeView struct {
	origin
	At       instant   `json:"at"`
	AtFrom   string    `json:"at_from"`
	Dispute  string    `json:"dispute"`
	State    string    `json:"state"`
	Reason   string    `json:"reason"`
	Claimed  money     `json:"claimed"`
	Deadline instant   `json:"deadline"`
	Stage    string    `json:"stage"`
	Action   string    `json:"action"`
	Why      string    `json:"why"`
	Cost     money     `json:"cost_of_silence"`
	Next     instant   `json:"then_look_at"`
	Plan     *planView `json:"plan"`
}

// An unreadableView is what could not be read.
type unreadableView struct {
	origin
	ID     words  `json:"id"`
	Reason string `json:"reason"`
}

// A replayView is everything that a replay found.
type replayView struct {
	Shipments  []shipmentView   `json:"shipments"`
	Disputes   []disputeView    `json:"disputes"`
	Empty      []origin         `json:"empty"`
	Unreadable []unreadableView `json:"unreadable"`
	Summary    struct {
		Replies    int `json:"replies"`
		Shipments  int `json:"shipments"`
		Disputes   int `json:"disputes"`
		Empty      int `json:"empty"`
		Unreadable int `json:"unreadable"`
	} `json:"summary"`
}

// A replayAsk is what the command line asks of a replay.
type replayAsk struct {
	platform, at, store string
	strict              bool
}

func (t *tool) replayCommand() *cobra.Command {
	var ask replayAsk
	cmd := &cobra.Command{
		Use:   "replay DIR|FILE...",
		Short: "Read recorded replies of platforms as the fleet would; nothing is sent",
		Long: `replay reads recorded replies and prints what the fleet would have seen and done. Nothing is sent and Redis is not asked.

It takes bare JSON bodies (*.json) and cassettes (*.yaml, *.yml) of go-vcr and vcrpy; folders are walked, - is standard input. A reply's
platform is known by the host of its request, or is the one that can read it. What cannot be read is listed with its reason and never stops
the rest.

A reply is judged as of the moment it was recorded: --at, else its Date header, else the newest instant that it states (an update, an event,
a change of a dispute), else now. The rules are those of the environment: of --store, or else of the platform. A plan argues with the parcels
of the replies before it.`,
		Example: `  wkctl replay recordings/
  wkctl replay --platform track17 --at 2026-03-01T12:00:00Z reply.json
  curl -s https://… | wkctl replay --platform easypost -`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return t.replay(cmd.Context(), args, ask) },
	}
	cmd.Flags().StringVar(&ask.platform, "platform", "", "read every reply as this platform's")
	cmd.Flags().StringVar(&ask.at, "at", "", "judge as of this time (RFC 3339 or a day)")
	cmd.Flags().StringVar(&ask.store, "store", "", "judge by the rules of this store")
	cmd.Flags().BoolVar(&ask.strict, "strict", false, "exit with code 1 when anything could not be read")
	return cmd
}

func (t *tool) player(ctx context.Context, ask replayAsk) (*player, error) {
	_, book, err := fleet.Load(ctx, t.environ, t.registry)
	if err != nil {
		return nil, notUsable(err)
	}
	p := &player{
		registry: t.registry, book: book, store: sla.StoreID(ask.store), now: t.now().UTC(), scrub: t.scrub,
		parcels: map[string]playbook.Parcel{}, lanes: map[string]sla.Lane{},
		out: replayView{Shipments: []shipmentView{}, Disputes: []disputeView{}, Empty: []origin{}, Unreadable: []unreadableView{}},
	}
	if ask.platform != "" {
		found, err := t.registry.Get(sla.Platform(ask.platform))
		if err != nil {
			return nil, usagef("--platform %q: want one of %s", clean(ask.platform), joinNames(t.registry.Names()))
		}
		p.platform = &found
	}
	if err := (&pick{store: ask.store}).absent(book, false); err != nil {
		return nil, err
	}
	if ask.at != "" {
		p.at, err = parseTime(ask.at)
	}
	return p, err
}

func (t *tool) replay(ctx context.Context, paths []string, ask replayAsk) error {
	p, err := t.player(ctx, ask)
	if err != nil {
		return err
	}
	r := recorder{stdin: t.in, found: p.play}
	for _, path := range paths {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := r.path(path); err != nil {
			return err
		}
	}
	if err := t.show(&p.out, p.out.print); err != nil {
		return err
	}
	if n := p.out.Summary.Unreadable; ask.strict && n > 0 {
		return fmt.Errorf("replay: %d unreadable", n)
	}
	return nil
}

func (v *replayView) print(w io.Writer) {
	if len(v.Shipments) > 0 {
		tab := newTable(w, "REPLY", "PLATFORM", "PARCEL", "CARRIER", "STATUS", "MILESTONE", "LAST EVENT", "AS OF", "ANOMALIES")
		for _, s := range v.Shipments {
			tab.row(s.String(), string(s.Platform), s.Number, string(s.Carrier), s.Status, s.Milestone, s.LastEvent.String(), s.At.String(), anomalyWords(s.Anomalies))
		}
		tab.end()
		fmt.Fprintln(w)
	}
	if len(v.Disputes) > 0 {
		tab := newTable(w, "REPLY", "PLATFORM", "DISPUTE", "STATE", "REASON", "CLAIMED", "DEADLINE", "AS OF", "DECISION", "PLAN")
		for _, d := range v.Disputes {
			plan := "-"
			if d.Plan != nil {
				plan = d.Plan.summary()
			}
			tab.row(d.String(), string(d.Platform), d.Dispute, d.State, d.Reason, d.Claimed.String(), d.Deadline.String(), d.At.String(), d.Action+": "+d.Why, plan)
		}
		tab.end()
		fmt.Fprintln(w)
	}
	if len(v.Empty)+len(v.Unreadable) > 0 {
		tab := newTable(w, "REPLY", "PLATFORM", "SUBJECT", "NOT SHOWN BECAUSE")
		for _, e := range v.Empty {
			tab.row(e.String(), string(e.Platform), "", "neither a parcel nor a dispute is in it")
		}
		for _, u := range v.Unreadable {
			tab.row(u.String(), string(u.Platform), string(u.ID), u.Reason)
		}
		tab.end()
		fmt.Fprintln(w)
	}
	s := v.Summary
	fmt.Fprintf(w, "%d replies, %d shipments, %d disputes, %d unreadable (%d with nothing in them)\n", s.Replies, s.Shipments, s.Disputes, s.Unreadable, s.Empty)
}

func anomalyWords(all []anomalyView) string {
	var out []string
	for _, a := range all {
		out = append(out, fmt.Sprintf("%s since %s (%s)", a.Kind, a.Since, a.From))
	}
	return strings.Join(out, "; ")
}
