package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"watchkeeper/sla"
)

// approveTries is how often a case is read anew that somebody else has written meanwhile.
const approveTries = 5

// A Said is what a person said about the answer of one turn.
type Said struct {
	sla.Approval
	By   string // who
	Note string // why, in the person's words
	At   time.Time
}

// An approvalLine is what the audit keeps of what a person said.
type approvalLine struct {
	Kind     string    `json:"kind"`
	Approval string    `json:"approval"`
	By       string    `json:"by"`
	Note     string    `json:"note"`
	At       time.Time `json:"at"`
	Turn     string    `json:"turn"`
}

// Approve records what a person said about the answer of one turn, has the case looked at at once, and keeps an audit line of it, all
// in one step. It is refused with ErrUnknownCase, ErrCaseClosed or, when somebody has moved since, ErrTurnChanged.
func (s *Store) Approve(ctx context.Context, id sla.DisputeID, turn sla.Turn, said Said) error {
	op := "approve " + id.String()
	line, err := json.Marshal(approvalLine{
		Kind: "approval", Approval: said.String(), By: clipNote(said.By), Note: clipNote(said.Note), At: said.At.UTC(), Turn: turn.String(),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	for range approveTries {
		records, found, err := s.Cases(ctx, []sla.DisputeID{id})
		if err != nil {
			return wrap(op, err)
		}
		r := records[0]
		switch {
		case !found[0]:
			return fmt.Errorf("%s: %w", op, ErrUnknownCase)
		case !r.Open():
			return fmt.Errorf("%s: %w", op, ErrCaseClosed)
		case r.Obligation.Turn == 0:
			return fmt.Errorf("%s: %w: nothing is owed now", op, ErrTurnChanged)
		case r.Obligation.Turn != turn:
			return fmt.Errorf("%s: %w: it is %s now", op, ErrTurnChanged, r.Obligation.Turn)
		}
		r.Approval, r.Next = said.Approval, said.At
		written, err := s.approve(ctx, r, line, said.At)
		if err != nil || written {
			return err
		}
	}
	return fmt.Errorf("%s: somebody else wrote it %d times meanwhile: try again", op, approveTries)
}

// approve writes the case if it still has its version.
func (s *Store) approve(ctx context.Context, r sla.CaseRecord, line []byte, now time.Time) (bool, error) {
	reply, err := s.onLedger(ctx, "approve", r.ID, approveScript, false, func(_ *view, shard int) ([]any, error) {
		record, err := caseKind.appendValue(nil, change[sla.CaseRecord]{record: &r, expect: r.Version}, s.gauge(classCase, shard))
		if err != nil {
			return nil, err
		}
		return []any{record, line, s.perShard(maxAudits), now.UnixMilli(), r.ID.String()}, nil
	})
	return reply == "1", err
}
