package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
)

func TestWhatIsSaidOfACaseIsShownFirstAndKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ args, said string }{
		"cases_approve":      {"approve AE01/1001", "approved"},
		"cases_approve_json": {"approve AE01/1001 -o json --turn 0000000000000007", "approved"},
		"cases_hold":         {"hold AE02/1003", "held"},
		"cases_reject":       {"reject AE01/1001", "rejected"},
		"cases_release":      {"release AE01/1001", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := filled(t)
			args := append(strings.Fields("cases "+c.args), "--note", "spoke to the buyer\x1b[2J", "--by", "alice")
			got := invoke(t, toys(), env(addr), args...)
			got.want(t, exitOK)
			golden(t, name+".txt", got.out)
			with(t, addr, func(ctx context.Context, s *store.Store) error {
				id, err := sla.ParseDisputeID(strings.Fields(c.args)[1])
				must(t, err)
				records, _, err := s.Cases(ctx, []sla.DisputeID{id})
				must(t, err)
				if records[0].Approval.String() != c.said || !records[0].Next.Equal(now) {
					t.Errorf("%s, next look at %s; want it %s and looked at now", records[0].Approval, records[0].Next, c.said)
				}
				lines, err := s.AuditsOf(ctx, id, 1)
				must(t, err)
				var line struct {
					By       string `json:"by"`
					Note     string `json:"note"`
					Approval string `json:"approval"`
					Turn     string `json:"turn"`
				}
				must(t, json.Unmarshal(lines[0].Line, &line))
				show := invoke(t, toys(), env(addr), "cases", "show", id.String(), "-o", "json")
				show.want(t, exitOK, `"approval": "`+c.said+`"`, `"waiting": `)
				if line.By != "alice" || line.Note != "spoke to the buyer\x1b[2J" || line.Approval != c.said || len(line.Turn) != 16 {
					t.Errorf("audit line %s", lines[0].Line)
				}
				return nil
			})
		})
	}
}

func TestWhatFollowsFromAYesDependsOnWhatElseIsInForce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		want string
	}{
		"at once":  {nil, "the answer goes out at once"},
		"later":    {[]string{"WK_SLA__STORE__AE02__ACT_BEFORE=2d"}, "the answer goes out at 2026-03-07T11:00:00Z"},
		"variable": {[]string{"WK_SLA__STORE__AE02__KILL=on"}, "nothing is sent while a kill switch is on"},
		"shadow":   {[]string{"WK_SLA__STORE__AE02__MODE=shadow"}, "nothing is sent in shadow (WK_SLA__STORE__AE02__MODE)"},
		"no money": {[]string{"WK_SLA__STORE__AE02__ACCEPT_CAP=1USD"}, "by itself it comes to: page"},
		"cap":      {[]string{"WK_SLA__APPROVE_ABOVE=5USD"}, "it waits for a person's yes: above_approval"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			vars := append(env(filled(t)), "WK_SLA__STORE__AE02__ACT_AFTER=0h")
			if name == "later" {
				vars = vars[:len(vars)-1]
			}
			invoke(t, toys(), append(vars, c.env...), "cases", "approve", "AE02/1003", "--note", "x").want(t, exitOK, c.want, "by "+osUser()+": x")
		})
	}
}

func TestAYesAfterGuardIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	for _, more := range [][]string{nil, {"-o", "json"}} {
		got := invoke(t, toys(), env(addr), append([]string{"cases", "approve", "AE02/1002", "--note", "x"}, more...)...)
		got.want(t, exitRefused, "case AE02/1002: guard was at 2026-03-03T10:30:00Z, and your yes comes too late", "only a person may answer", "nothing was written")
		if got.out != "" {
			t.Errorf("something is printed as if it was done:\n%s", got.out)
		}
	}
	invoke(t, toys(), env(addr), "explain", "AE02/1002", "-o", "json").want(t, exitOK, `"approval": "none"`)
	invoke(t, toys(), env(addr), "cases", "reject", "AE02/1002", "--note", "x").want(t, exitOK, "nothing is sent any more, for guard has passed")
	// The deadline of this one is in 20 hours: a yes is good until guard, and not from then on.
	for guard, code := range map[string]int{"19h59m": exitOK, "20h": exitRefused} {
		vars := append(env(addr), "WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__GUARD="+guard)
		invoke(t, toys(), vars, "cases", "approve", "AE01/1001", "--note", "x").want(t, code)
	}
}

func TestWhoGivesAnOrderIsKnownOrItIsSaidThatNobodyIs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flag string
		env  []string
		want string
	}{
		"the flag":     {"alice", []string{"WKCTL_BY=bob"}, "alice"},
		"the variable": {" ", []string{"WKCTL_BY=bob", "WKCTL_BY= carol "}, "carol"},
		"the user":     {"", nil, cmp.Or(osUser(), fmt.Sprintf("uid %d", os.Getuid()))},
		"no secret":    {"", []string{"WKCTL_BY=quite-a-secret", "WK_STORE__T17__API_KEY=quite-a-secret"}, "[redacted]"},
	} {
		var errs bytes.Buffer
		tool := &tool{environ: c.env, err: &errs}
		by, note := c.flag, "x"
		must(t, tool.signed(&by, &note))
		if by != c.want || (errs.Len() > 0) != strings.HasPrefix(by, "uid ") {
			t.Errorf("%s: want %q, got %q and %q", name, c.want, by, errs.String())
		}
	}
}

func TestAYesInAStoreThatIsNotConfiguredHereSaysSo(t *testing.T) {
	t.Parallel()
	invoke(t, toys(), env(filled(t)), "cases", "hold", "OLD/1006", "--note", "x").want(t, exitOK, "store OLD is not configured here", "held by")
}

func TestAYesWhileTheTurnMovesIsRefusedAndWritesNothing(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	id := sla.DisputeID{Platform: "bazaar", Store: "AE01", Native: "1001"}
	with(t, addr, func(ctx context.Context, s *store.Store) error {
		err := s.Approve(ctx, id, 8, store.Said{Approval: sla.ApprovalApproved, At: now})
		if got := movedOn(id, err).Error(); !strings.Contains(got, `look at it with "wkctl explain AE01/1001"`) {
			t.Errorf("got %s", got)
		}
		if got := movedOn(id, s.Approve(ctx, sla.DisputeID{Store: "AE01", Native: "1004"}, 8, store.Said{At: now})).Error(); !strings.Contains(got, "closed meanwhile") {
			t.Errorf("got %s", got)
		}
		return nil
	})
	got := invoke(t, toys(), env(addr), "cases", "approve", "AE01/1001", "--turn", "8", "--note", "x")
	got.want(t, exitRefused)
	if got.out != "" {
		t.Errorf("something is printed as if it was done:\n%s", got.out)
	}
	invoke(t, toys(), env(addr), "explain", "AE01/1001", "-o", "json").want(t, exitOK, `"approval": "none"`)
}
