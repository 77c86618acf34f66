package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/store"
)

// A saying is one thing that an operator can say about the answer of a case.
type saying struct {
	verb     string
	approval sla.Approval
	short    string
	long     string
}

// sayings are all of them.
var sayings = []saying{
	{
		"hold", sla.ApprovalHeld, "Let the answer of a case wait for a person",
		"hold keeps the answer back whatever the rules say, in this turn and those that follow, until approve, reject or release.",
	},
	{
		"approve", sla.ApprovalApproved, "Say yes to the answer of a case in its present turn",
		"approve says yes in this turn: the answer need not wait for a person. Budgets, kill switches, the shadow mode and guard are in force all the same.\n" +
			"After guard it is refused, with code 4: nothing is sent any more.",
	},
	{
		"reject", sla.ApprovalRejected, "Say no: nothing is sent for a case in its present turn",
		"reject says no in this turn: nothing is sent, and a person is called at guard, when only a person may act.",
	},
	{
		"release", sla.ApprovalNone, "Take back what was said about a case",
		"release takes back what was said in this turn: the rules decide again, and an answer that they let wait for a person waits on.",
	},
}

const sayMore = `

It first shows what is spoken of: the turn, the answer that is planned as of now, its amount, the deadline and the stage that is next. With
--turn it is refused, with code 4, when the case is in another turn by now; without, it speaks of the turn that it shows. The note and who
said it are kept in the audit.`

// A sayAsk is what the command line says about a case.
type sayAsk struct {
	saying
	id, note, by, turn string
}

func (t *tool) sayCommands() []*cobra.Command {
	var out []*cobra.Command
	for _, s := range sayings {
		ask := sayAsk{saying: s}
		cmd := &cobra.Command{
			Use:   s.verb + " ID --note TEXT",
			Short: s.short,
			Long:  s.long + sayMore,
			Example: "  wkctl cases " + s.verb + " AE01/9123456789012345 --note \"spoke to the buyer\"\n" +
				"  wkctl cases " + s.verb + " AE01/9123456789012345 --turn 00c0ffee00c0ffee --by alice --note \"ticket 4711\" -o json",
			Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				ask.id = args[0]
				if _, err := parseTurn(ask.turn); err != nil {
					return err
				}
				if err := t.signed(&ask.by, &ask.note); err != nil {
					return err
				}
				return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error { return t.say(ctx, d, ask) })
			},
		}
		cmd.Flags().StringVar(&ask.note, "note", "", "why, in your words (required)")
		cmd.Flags().StringVar(&ask.by, "by", "", "who says so (default: "+signature+", or the user of the operating system)")
		cmd.Flags().StringVar(&ask.turn, "turn", "", "the turn that you have looked at, as explain and cases show print it")
		out = append(out, cmd)
	}
	return out
}

// signed refuses an order without a reason, and fills in who gives it. Both are kept, so a secret that slipped in is taken out.
func (t *tool) signed(by, note *string) error {
	if strings.TrimSpace(*note) == "" {
		return usagef("--note is missing: say why, it is kept with what you do")
	}
	name := cmp.Or(strings.TrimSpace(*by), strings.TrimSpace(t.variable(signature)), osUser())
	if name == "" {
		name = fmt.Sprintf("uid %d", os.Getuid())
		t.warnf("nobody says who does this, and the user of the operating system has no name here: it is kept as said by %q; say --by NAME, or set %s", name, signature)
	}
	*by, *note = t.scrub(name), t.scrub(*note)
	return nil
}

// signature is the variable that says who gives orders, for where all do so as one user: in a container.
const signature = "WKCTL_BY"

// variable is a variable of the environment; the last entry of a name counts, as it does for a process.
func (t *tool) variable(name string) (value string) {
	for _, entry := range t.environ {
		if v, is := strings.CutPrefix(entry, name+"="); is {
			value = v
		}
	}
	return value
}

// osUser is the name of who runs the program; empty where it has none.
func osUser() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// parseTurn reads a turn as it is printed; 0 for none.
func parseTurn(text string) (sla.Turn, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 16, 64)
	if err != nil || n == 0 {
		return 0, usagef("--turn %q: want a turn as wkctl explain prints it, sixteen hex digits", clean(text))
	}
	return sla.Turn(n), nil
}

// refusedf says that a case is not as the operator believes.
func refusedf(format string, args ...any) error {
	return &failure{exitRefused, fmt.Errorf(format, args...)}
}

func (t *tool) say(ctx context.Context, d *desk, ask sayAsk) error {
	c, err := d.find(ctx, ask.id)
	if err != nil {
		return err
	}
	if err := ask.fits(c.Case); err != nil {
		return err
	}
	v, err := d.sayView(ctx, c, ask)
	if err != nil {
		return err
	}
	if ask.approval == sla.ApprovalApproved && !v.Until.IsZero() && !v.Until.After(d.now) {
		return refusedf("case %s: guard was at %s, and your yes comes too late: nothing is sent any more, and %s; nothing was written", c.ID, v.Until, byHand)
	}
	if !slices.ContainsFunc(d.book.Stores(), func(s rules.Store) bool { return s.ID == c.ID.Store }) {
		d.warn("store %s is not configured here: what is planned and what follows is by the rules of its platform", c.ID.Store)
	}
	if t.format != formatJSON {
		v.printBefore(t.out)
	}
	said := store.Said{Approval: ask.approval, By: ask.by, Note: ask.note, At: d.now}
	if err := d.Approve(ctx, c.ID, c.Obligation.Turn, said); err != nil {
		return movedOn(c.ID, err)
	}
	return t.show(v, v.printAfter)
}

// fits refuses to speak of a case that owes no answer, and of another turn than the operator saw.
func (a *sayAsk) fits(c sla.Case) error {
	seen, err := parseTurn(a.turn)
	switch {
	case err != nil:
		return err
	case !c.Open():
		return refusedf("case %s is closed: there is no answer to %s; nothing was written", c.ID, a.verb)
	case c.Obligation.Turn == 0:
		return refusedf("case %s owes nothing now (%s): there is no answer to %s; nothing was written", c.ID, c.State, a.verb)
	case seen != 0 && seen != c.Obligation.Turn:
		return movedOn(c.ID, store.ErrTurnChanged)
	case c.Answered:
		return refusedf("case %s: turn %s is answered already: there is nothing left to %s; nothing was written", c.ID, c.Obligation.Turn, a.verb)
	}
	return nil
}

// movedOn tells an operator that the case is another than the one looked at.
func movedOn(id sla.DisputeID, err error) error {
	switch {
	case errors.Is(err, store.ErrUnknownCase):
		return notFound("case", id.String())
	case errors.Is(err, store.ErrCaseClosed):
		return refusedf("case %s was closed meanwhile; nothing was written", id)
	case errors.Is(err, store.ErrTurnChanged):
		return refusedf("case %s: somebody has moved, and the turn is another than the one that you saw; nothing was written; look at it with "+
			"\"wkctl explain %s\" and say it again", id, id)
	}
	return err
}
