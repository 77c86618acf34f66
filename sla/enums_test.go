package sla_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"watchkeeper/sla"
)

func words[T fmt.Stringer](all []T) []string {
	out := make([]string, 0, len(all))
	for _, v := range all {
		out = append(out, v.String())
	}
	return out
}

func TestNamesOfClosedListsAreDistinctLabels(t *testing.T) {
	t.Parallel()
	label := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for list, got := range map[string][]string{
		"reasons": words(sla.Reasons()), "actions": words(sla.Actions()), "whys": words(sla.Whys()), "stages": words(sla.Stages()),
		"answers": words(sla.AnswerKinds()), "attempts": words(sla.AttemptStates()), "milestones": words(sla.Milestones()),
		"anomalies": words(sla.AnomalyKinds()),
	} {
		seen := map[string]bool{}
		for _, name := range got {
			if !label.MatchString(name) || seen[name] {
				t.Errorf("%s: %q is no label, or told twice", list, name)
			}
			seen[name] = true
		}
	}
}

// TestEveryConstantHasAName counts the constants in the source: one added without its name would shift or end the names early.
func TestEveryConstantHasAName(t *testing.T) {
	t.Parallel()
	for prefix, named := range map[string]int{
		"Reason": len(sla.Reasons()), "Action": len(sla.Actions()), "Why": len(sla.Whys()), "Stage": len(sla.Stages()),
		"Answer": len(sla.AnswerKinds()), "Attempt": len(sla.AttemptStates()), "Milestone": len(sla.Milestones()),
		"Anomaly": len(sla.AnomalyKinds()),
	} {
		if declared := constants(t, prefix); declared != named {
			t.Errorf("%s: %d constants and %d names", prefix, declared, named)
		}
	}
	if got := sla.StateClosed.String() + sla.PartyTimeout.String() + sla.ModeLive.String(); got != "closedtimeoutlive" {
		t.Errorf("state, party, mode end with %q", got)
	}
	if got := sla.Milestone(200).String(); got != "invalid_200" {
		t.Errorf("a milestone outside the list is %q", got)
	}
}

// constants counts the package's constants named prefix and an upper-case letter.
func constants(t *testing.T, prefix string) int {
	t.Helper()
	name := regexp.MustCompile("^" + prefix + "[A-Z]")
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("sources: %v, %v", files, err)
	}
	n := 0
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			block, ok := d.(*ast.GenDecl)
			if !ok || block.Tok != token.CONST {
				continue
			}
			for _, spec := range block.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && name.MatchString(v.Names[0].Name) {
					n++
				}
			}
		}
	}
	return n
}

func TestReasonsAndModesReadBack(t *testing.T) {
	t.Parallel()
	for _, r := range sla.Reasons() {
		if got, err := sla.ParseReason(r.String()); err != nil || got != r {
			t.Errorf("ParseReason(%s) = %s, %v", r, got, err)
		}
	}
	for _, m := range []sla.Mode{sla.ModeShadow, sla.ModeHold, sla.ModeLive} {
		if got, err := sla.ParseMode(m.String()); err != nil || got != m {
			t.Errorf("ParseMode(%s) = %s, %v", m, got, err)
		}
	}
	m, err := sla.ParseMode("LIVE" + strings.Repeat("!", 500))
	if err == nil || m != sla.ModeShadow || len(err.Error()) > 120 {
		t.Errorf("a wrong mode is %s, %v; want shadow and a short error", m, err)
	}
}

func TestAnswerSetHoldsWhatWasPutIn(t *testing.T) {
	t.Parallel()
	set := sla.Answers(sla.AnswerOffer, sla.AnswerCancel)
	for _, k := range sla.AnswerKinds() {
		if want := k == sla.AnswerOffer || k == sla.AnswerCancel; set.Has(k) != want {
			t.Errorf("Has(%s) = %t, want %t", k, set.Has(k), want)
		}
	}
	if got := set.String(); got != "offer,cancel" {
		t.Errorf("String = %q", got)
	}
}

func TestWhatPaysOrEndsATurnIsClosed(t *testing.T) {
	t.Parallel()
	pays := sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerCancel)
	ends := sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse, sla.AnswerEvidence, sla.AnswerCancel)
	for _, k := range sla.AnswerKinds() {
		if k.Pays() != pays.Has(k) || k.EndsTurn() != ends.Has(k) {
			t.Errorf("%s: pays %t, ends the turn %t", k, k.Pays(), k.EndsTurn())
		}
	}
}

func TestAnomalySetKeepsItsMembersInOrder(t *testing.T) {
	t.Parallel()
	var set sla.AnomalySet
	set = set.With(sla.AnomalyDelayed).With(sla.AnomalyNoTracking).With(sla.AnomalyDelayed)
	got := set.Kinds()
	if len(got) != 2 || got[0] != sla.AnomalyNoTracking || got[1] != sla.AnomalyDelayed || set.Has(sla.AnomalyLost) {
		t.Errorf("Kinds = %v", got)
	}
	if n := len(sla.AnomalyKinds()); n > 32 {
		t.Errorf("%d anomalies do not fit a set of 32", n)
	}
}
