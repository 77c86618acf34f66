package simulator

import (
	"strconv"
	"time"

	"watchkeeper/sla"
)

// Somebody paged this long before the deadline always answers; the last minutes are kept for the typing.
const (
	pageInTime = 30 * time.Minute
	lastWord   = 10 * time.Minute
)

// PageTo tells the world that a page about a dispute reached the person. With Options.Person they answer in the back office some
// hours later: before the deadline if the page came half an hour before it. A second page for the same turn changes nothing.
func (w *World) PageTo(d sla.DisputeID, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.run(at.UTC())
	id, err := strconv.ParseInt(d.Native, 10, 64)
	i := w.byID[id]
	if err != nil || i == nil || i.issueStatus == "" || i.order.store.id != d.Store {
		return
	}
	i.log(w.now, Entry{Actor: ActorPerson, Kind: KindPaged})
	if !w.o.Person || i.owes == needNothing || !i.personAt.IsZero() {
		return
	}
	r := draw(w.o.Seed, forPerson, uint64(i.n), uint64(i.turn))
	i.sendPerson(w.now, w.now.Add(between(r, 20*time.Minute, 10*time.Hour)))
}

// sendPerson makes the person answer at an instant, or a little before the deadline when that is earlier and was promised.
func (i *issue) sendPerson(paged, at time.Time) {
	if i.deadline.Sub(paged) >= pageInTime {
		at = earlier(at, i.deadline.Add(-lastWord))
	}
	i.personAt = at
	i.inTurn(at, func(t time.Time) {
		if t.Equal(i.personAt) {
			i.person(t)
		}
	})
}

// hurryPerson makes somebody already asked keep their word when the deadline comes nearer.
func (i *issue) hurryPerson(at time.Time) {
	if !i.personAt.IsZero() && i.personAt.After(i.deadline.Add(-lastWord)) {
		i.sendPerson(at, i.personAt)
	}
}

// person answers what is owed, with what the back office has and no API does.
func (i *issue) person(at time.Time) {
	r := draw(i.world.o.Seed, forPerson, uint64(i.n), uint64(i.turn), 1)
	s := i.standing()
	switch {
	case i.owes == needNothing:
	case i.owes == needEvidence:
		i.log(at, Entry{Actor: ActorPerson, Kind: KindEvidence})
		i.wrote("seller_submit_evidence", "seller", "", at) // no value is documented for this: the enum is open
		i.awaitDecision(at, "wait_ae_final_feedback", r)
	case i.owes == needReceipt:
		i.log(at, Entry{Actor: ActorPerson, Kind: KindReceived, Amount: i.stake})
		i.pay(at, ActorPerson, i.stake, paidByAnswer)
		i.finish(at, ActorPerson, "return_success")
	case s.goods || i.owes == needAddress || sometimes(r, 0.5):
		i.agree(at, ActorPerson, s.id, i.order.store.returnAddress)
	default:
		i.propose(at, ActorPerson, proposal{add: true, answers: s.id, amount: s.amount.Share(5000), text: "We refund half and you keep it."})
	}
}
