package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

func (e *explanation) print(w io.Writer) {
	e.head(w)
	tab := newTable(w)
	tab.row("at", e.At.String())
	tab.row("decision", e.Action+": "+e.Why)
	tab.row("because", e.Meaning)
	tab.row("stage reached", e.Stage)
	tab.row("deadline", e.deadline())
	tab.row("window drift", e.drift())
	tab.row("silence costs", e.Cost.String())
	tab.row("then look at", e.Looks.String())
	if e.Margin != nil {
		tab.row("margin", e.Margin.text())
	}
	if e.Short != nil {
		tab.row("time short", e.Short.text())
	}
	if e.Obligation != nil {
		tab.row("owed", strings.Join(e.Obligation.Answers, ", ")+" (turn "+e.Obligation.Turn+")")
	}
	if text := e.approval(); text != "" {
		tab.row("approval", text)
	}
	if !e.Frozen.IsZero() {
		tab.row("frozen", "nothing is sent before "+e.Frozen.String()+": the store has lost its memory")
	}
	for _, k := range e.Kills {
		tab.row("kill switch", k.text())
	}
	if e.Forecast != nil {
		tab.row("comes to", e.Forecast.String())
	}
	tab.row("rules", e.Rules.text())
	if c := e.Rules.Changed; c != nil {
		tab.row("rules changed", "since "+c.At.String()+": the last line of the audit was written under "+c.Hash)
	}
	tab.end()
	e.printInputs(w)
	fmt.Fprintln(w, "\nattempts")
	printAttempts(w, e.Attempts)
	e.printPlan(w)
	e.Compared.print(w)
}

// printInputs prints the stages and the values with what decided them.
func (e *explanation) printInputs(w io.Writer) {
	fmt.Fprintln(w, "\nstages")
	if len(e.Timeline) == 0 {
		fmt.Fprintln(w, "  nothing is owed, or nobody knows until when")
	}
	tab := newTable(w)
	for _, s := range e.Timeline {
		state := "in " + span(s.At.Sub(e.at))
		if s.Reached {
			state = "reached " + span(e.at.Sub(s.At.Time)) + " ago"
		}
		name := s.Stage
		if s.Channel != "" {
			name += " (" + string(s.Channel) + ")"
		}
		tab.row("  "+name, s.At.String(), state, s.Setting, s.From)
	}
	tab.end()
	fmt.Fprintln(w, "\nvalues used")
	tab = newTable(w)
	for _, v := range e.Values {
		tab.row("  "+v.Name, v.Value, v.From)
	}
	tab.end()
}

func (e *explanation) printPlan(w io.Writer) {
	fmt.Fprintln(w, "\nplan")
	if e.Plan == nil {
		fmt.Fprintf(w, "  none: %s\n", e.NoPlan)
		return
	}
	e.Plan.print(w)
	if len(e.Others) == 0 {
		return
	}
	fmt.Fprintln(w, "\nnot taken, the next best first")
	tab := newTable(w)
	for _, o := range e.Others {
		tab.row("  "+answerText(o.Answer, o.Amount), o.Why, o.Meaning)
	}
	tab.end()
}

func (c *comparedView) print(w io.Writer) {
	if c == nil {
		return
	}
	fmt.Fprintf(w, "\nagainst the present rules %s\n", c.Rules)
	if len(c.Changes) == 0 {
		fmt.Fprintln(w, "  the same comes of it")
	} else {
		fmt.Fprintf(w, "  other %s\n", strings.Join(c.Changes, ", "))
	}
	tab := newTable(w)
	tab.row("  was", c.Was.String())
	tab.row("  is", c.Is.String())
	tab.end()
	tab = newTable(w)
	for _, v := range c.Values {
		tab.row("  "+v.Name, v.Was+" -> "+v.Is, v.WasFrom+" -> "+v.IsFrom)
	}
	tab.end()
}

func (e *explanation) deadline() string {
	switch e.DeadlineFrom {
	case "":
		return "-"
	case feed:
		return e.Deadline.String() + " (the feed says so), " + span(e.Deadline.Sub(e.at)) + " left"
	}
	return e.Deadline.String() + " (end of the window, " + string(e.WindowFrom) + "), " + span(e.Deadline.Sub(e.at)) + " left"
}

func (e *explanation) drift() string {
	d := time.Duration(e.Drift) * time.Second
	switch {
	case d > 0:
		return "the feed allows " + span(d) + " more than the window"
	case d < 0:
		return "the feed allows " + span(-d) + " less than the window"
	}
	return "none, or not known"
}

// approval is what people have said, and whether the answer waits for them; nothing when neither is so.
func (e *explanation) approval() string {
	said := map[string]string{
		"held": "held: whatever the rules say, the answer waits for a person", "approved": "approved: the answer may be sent",
		"rejected": "rejected: nothing is sent in this turn",
	}[e.Approval]
	if said == "" && e.Waiting {
		return "the answer waits for a person's yes"
	}
	return said
}

func (k coverView) text() string {
	out := k.Scope
	if !k.Since.IsZero() {
		out += " since " + k.Since.String()
	}
	if k.Note != "" {
		out += ": " + string(k.Note)
	}
	return out + " (nothing is sent)"
}

func (r rulesView) text() string {
	out := r.Hash
	if r.File != "" {
		out += " of " + string(r.File)
	}
	if !r.Since.IsZero() {
		out += ", as they are by their dates since " + r.Since.String()
	}
	return out
}
