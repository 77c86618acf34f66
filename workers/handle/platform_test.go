package handle_test

import (
	"context"
	"slices"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// effect is something that happened to money or to people, as the platform remembers it.
type effect struct {
	kind   sla.AnswerKind
	turn   sla.Turn
	amount sla.Money
	at     time.Time // by the platform's clock
}

// reply is what the platform does with one answer.
type reply struct {
	apply bool          // the effect happens
	late  time.Duration // so much later
	err   error
	panic bool
	then  func() // what happens meanwhile
}

// platform is a marketplace that carries out whatever it is told, as often as it is told, and keeps a log of it. What it shows lags
// behind its log by blind.
type platform struct {
	w        *world
	dispute  sla.Dispute // as the buyer left it; answers are added when it is shown
	effects  []effect
	replies  []reply // of the coming calls, then every answer is accepted
	blind    time.Duration
	readErr  error
	askErr   error
	moot     bool // says moot of whatever it does not show
	looked   int
	sent     []sla.Answer
	asked    int
	sentAt   []time.Time // by the platform's clock
	beforeIt func()      // runs once, between the last check and the effect
}

func (p *platform) clock() time.Time { return p.w.now.Add(p.w.skew) }

// shown lists the effects that reads see.
func (p *platform) shown() []effect {
	var out []effect
	for _, e := range p.effects {
		if !e.at.Add(p.blind).After(p.clock()) {
			out = append(out, e)
		}
	}
	return out
}

// view is the dispute with the answers that show: an answer of the present turn hands it to the buyer.
func (p *platform) view() sla.Dispute {
	d := p.dispute
	d.Obligations = slices.Clone(d.Obligations)
	for _, e := range p.shown() {
		if !e.kind.EndsTurn() {
			continue
		}
		d.Obligations = slices.DeleteFunc(d.Obligations, func(o sla.Obligation) bool { return o.Turn == e.turn })
		if e.kind == sla.AnswerOffer {
			d.Offers++
			d.Offered = e.amount
		}
	}
	if len(d.Obligations) == 0 && d.State == sla.StateSeller {
		d.State = sla.StateBuyer
	}
	return d
}

// edit is the buyer starting a new turn.
func (p *platform) edit(turn sla.Turn) {
	p.dispute.Obligations = slices.Clone(p.dispute.Obligations)
	for i := range p.dispute.Obligations {
		p.dispute.Obligations[i].Turn = turn
	}
	p.dispute.State = sla.StateSeller
}

func (p *platform) Fetch(context.Context, connectors.Cursor) (connectors.Page, error) {
	return connectors.Page{}, nil
}

func (p *platform) Resolve(ctx context.Context, _ connectors.Row) (sla.Dispute, error) {
	return p.Lookup(ctx, p.dispute.DisputeRef)
}

// Two ids are special: "broken" fails in a way that no platform is to blame for, and "slow" takes most of a job's budget.
func (p *platform) Lookup(ctx context.Context, ref sla.DisputeRef) (d sla.Dispute, err error) {
	switch ref.ID.Native {
	case "broken":
		return d, errOut
	case "slow":
		p.w.now = p.w.now.Add(20 * time.Second)
		return d, platformError(connectors.Unavailable)
	}
	fault := p.w.call(ctx, "lookup", func() {
		p.looked++
		d, err = p.view(), p.readErr
	})
	if fault != nil {
		err = fault
	}
	return d, err
}

func (p *platform) Respond(ctx context.Context, _ sla.Dispute, a sla.Answer) (receipt connectors.Receipt, err error) {
	fault := p.w.call(ctx, "respond", func() {
		if then := p.beforeIt; then != nil {
			p.beforeIt = nil
			then()
		}
		p.sent, p.sentAt = append(p.sent, a), append(p.sentAt, p.clock())
		do := reply{apply: true}
		if len(p.replies) > 0 {
			do, p.replies = p.replies[0], p.replies[1:]
		}
		if do.apply {
			p.effects = append(p.effects, effect{kind: a.Kind, turn: a.Turn, amount: a.Amount, at: p.clock().Add(do.late)})
		}
		if do.then != nil {
			do.then()
		}
		if do.panic {
			panic("connector broke")
		}
		receipt, err = connectors.Receipt{ID: "R1", At: p.clock()}, do.err
	})
	if fault != nil {
		// The reply is lost: for the caller the outcome is unknown, whatever happened.
		return connectors.Receipt{}, fault
	}
	return receipt, err
}

func (p *platform) Confirm(ctx context.Context, _ sla.Dispute, a sla.Answer) (out connectors.Outcome, err error) {
	fault := p.w.call(ctx, "confirm", func() {
		p.asked++
		out, err = p.outcome(a), p.askErr
	})
	if fault != nil {
		err = fault
	}
	return out, err
}

func (p *platform) outcome(a sla.Answer) connectors.Outcome {
	for _, e := range p.shown() {
		if e.kind == a.Kind && e.turn == a.Turn {
			return connectors.OutcomePresent
		}
	}
	if p.moot || p.dispute.State == sla.StateClosed {
		return connectors.OutcomeMoot
	}
	return connectors.OutcomeAbsent
}

// platformError is a failure as a connector reports it.
func platformError(kind connectors.Kind) error {
	return &connectors.Error{Op: "fake respond", Subject: "AE01/9000000001", Kind: kind}
}
