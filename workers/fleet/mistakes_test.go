package fleet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"watchkeeper/connectors"
	"watchkeeper/workers/fleet"
)

func TestJoinedErrorsAreTakenApart(t *testing.T) {
	t.Parallel()
	err := errors.Join(
		fmt.Errorf("store A: %w", errors.Join(errors.New("X: one"), errors.New("Y: two"))), errors.New("three"),
		fmt.Errorf("four: %w", &connectors.Error{Op: "op", Kind: connectors.Forbidden, Err: errors.New("why")}),
	)
	var got []string
	for _, m := range fleet.Mistakes(err) {
		got = append(got, m.Text)
	}
	want := "[store A: X: one store A: Y: two three four: op: forbidden: why]"
	if fmt.Sprint(got) != want {
		t.Errorf("want %s, got %s", want, got)
	}
	if none := fleet.Mistakes(nil); len(none) != 0 {
		t.Errorf("want none of nothing, got %v", none)
	}
}

func TestMistakesOfTheRulebookAreKnownInFull(t *testing.T) {
	t.Parallel()
	_, _, err := fleet.Load(t.Context(), []string{"WK_WORKERS__CONCURRENCY=0", "WK_SLA__GUARD=90", "WK_SLA__GURAD=2h"}, quietRegistry())
	got := fleet.Mistakes(err)
	if len(got) != 3 || got[0].Problem != nil || got[1].Problem == nil || got[2].Problem == nil {
		t.Fatalf("want one of the machinery and two of the rulebook, got %+v", got)
	}
	if p := got[2].Problem; got[0].Text != "WK_WORKERS__CONCURRENCY: want 1 to 1000" || p.Suggestion != "WK_SLA__GUARD" || got[2].Text != p.String() || !strings.HasPrefix(got[1].Text, "WK_SLA__GUARD=") {
		t.Errorf("got %+v, %+v", got, *p)
	}
}
