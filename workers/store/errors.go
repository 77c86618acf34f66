package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"watchkeeper/sla"
)

// Errors that callers branch on, beside those of sla.
var (
	// ErrUnknownStore means that a store was not in Options.Stores of any process so far.
	ErrUnknownStore = errors.New("store is not known")
	// ErrTooLong means that an id or a record is larger than any legal one.
	ErrTooLong = errors.New("too long")
	// ErrUnknownCase means that no case is recorded under the id.
	ErrUnknownCase = errors.New("case is not known")
	// ErrTurnChanged means that somebody has moved since: what a person said is about a turn that is over.
	ErrTurnChanged = errors.New("the turn has changed")
	// ErrCaseClosed means that nothing can be done about the dispute any more.
	ErrCaseClosed = errors.New("the case is closed")
	// ErrIllegalMove means that an attempt cannot go from its present state to the wanted one.
	ErrIllegalMove = errors.New("illegal move of an attempt")
)

// serverWords sorts the server's refusals by what an operator must do. Inside scripts the code is not always in front, so the whole
// text is searched; none of these words can come from data, because no script puts data into an error.
var serverWords = []struct {
	word string
	kind error
}{
	{"OOM command not allowed", sla.ErrStoreFull},
	{"MISCONF", sla.ErrStoreReadOnly},
	{"NOREPLICAS", sla.ErrStoreReadOnly},
	{"READONLY", sla.ErrStoreReadOnly},
	{"read only replica", sla.ErrStoreReadOnly},
	{"MOVED ", sla.ErrStoreOut},
	{"ASK ", sla.ErrStoreOut},
	{"TRYAGAIN", sla.ErrStoreOut},
	{"CLUSTERDOWN", sla.ErrStoreOut},
	{"MASTERDOWN", sla.ErrStoreOut},
	{"LOADING", sla.ErrStoreOut},
	{"BUSY", sla.ErrStoreOut},
	{"NOAUTH", sla.ErrStoreOut},
	{"WRONGPASS", sla.ErrStoreOut},
	{"NOPERM", sla.ErrStoreOut},
	{"max number of clients", sla.ErrStoreOut},
}

// wrap names the operation and sorts the cause. A cancelled caller stays just that.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	if kind := kindOf(err); kind != nil && !errors.Is(err, kind) {
		return fmt.Errorf("%s: %w: %w", op, kind, err)
	}
	return fmt.Errorf("%s: %w", op, err)
}

// answered are the errors that tell of a server that was reached.
var answered = []error{
	redis.Nil, ErrUnfit, ErrUnknownStore, ErrTooLong, ErrUnknownCase, ErrTurnChanged, ErrCaseClosed, ErrIllegalMove, ErrUnreadable, ErrNoRecords,
	ErrBadNumber, sla.ErrHeld, sla.ErrUnresolved, sla.ErrFenced, sla.ErrStaleCase, sla.ErrFrozen, sla.ErrAmnesia, sla.ErrKilled, sla.ErrBudget, sla.ErrStorm,
}

// kindOf is nil for a cancelled caller, for a refusal that no operator can help, and for a server that answers and is not what we want.
func kindOf(err error) error {
	if errors.Is(err, context.Canceled) || slices.ContainsFunc(answered, func(a error) bool { return errors.Is(err, a) }) {
		return nil
	}
	if _, ok := errors.AsType[redis.Error](err); !ok {
		return sla.ErrStoreOut // the connection, the dialling, the pool, the list of sentinels
	}
	text := err.Error()
	for _, w := range serverWords {
		if strings.Contains(text, w.word) {
			return w.kind
		}
	}
	return nil
}
