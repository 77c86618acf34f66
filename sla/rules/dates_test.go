package rules_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func date(text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestDatedVariableHoldsBetweenItsDatesOnly(t *testing.T) {
	t.Parallel()
	env := func(dates ...string) []string {
		return append([]string{storeA1, "WK_SLA__ACT_BEFORE=2d", "WK_SLA__ALIEXPRESS__ACT_BEFORE=4d", "WK_SHIPMENT__STALL=10d", "WK_SHIPMENT__LANE__CN_BR__STALL=15d"}, dates...)
	}
	const act, stall = "WK_SLA__ALIEXPRESS__ACT_BEFORE__", "WK_SHIPMENT__LANE__CN_BR__STALL__"
	for name, test := range map[string]struct {
		env     []string
		inside  []string
		outside []string
	}{
		"first and last day": {
			env(act+"FROM=2027-02-05..2027-02-20", stall+"FROM=2027-02-05..2027-02-20"),
			[]string{"2027-02-05T00:00:00Z", "2027-02-20T23:59:59.999999999Z", "2027-02-05T08:00:00+08:00"},
			[]string{"2027-02-04T23:59:59.999999999Z", "2027-02-21T00:00:00Z", "2027-02-05T07:59:59+08:00"},
		},
		"from and until": {
			env(act+"FROM=2027-02-05", act+"UNTIL=2027-02-20", stall+"FROM=2027-02-05T00:00:00Z", stall+"UNTIL=2027-02-20T08:00:00+08:00"),
			[]string{"2027-02-05T00:00:00Z", "2027-02-19T23:59:59Z"}, []string{"2027-02-04T23:59:59Z", "2027-02-20T00:00:00Z"},
		},
		"from": {
			env(act+"FROM=2027-02-05", stall+"FROM=2027-02-05"),
			[]string{"2027-02-05T00:00:00Z", "2199-01-01T00:00:00Z"}, []string{"2027-02-04T23:59:59Z", "1990-01-01T00:00:00Z"},
		},
		"until": {
			env(act+"UNTIL=2027-02-05", stall+"UNTIL=2027-02-05"),
			[]string{"1990-01-01T00:00:00Z", "2027-02-04T23:59:59Z"}, []string{"2027-02-05T00:00:00Z", "2199-01-01T00:00:00Z"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := load(t, test.env...)
			check := func(at string, before, silence time.Duration) {
				now := rules.Current{Book: b, Now: func() time.Time { return date(at) }}
				if got := now.For("aliexpress", "A1", sla.ReasonDamaged).ActBefore.Value; got != before {
					t.Errorf("at %s: act before = %s, want %s", at, got, before)
				}
				if got := now.Shipments("A1", brazil).Stall.Value; got != silence {
					t.Errorf("at %s: stall = %s, want %s", at, got, silence)
				}
			}
			for _, at := range test.inside {
				check(at, 4*day, 15*day)
			}
			for _, at := range test.outside {
				check(at, 2*day, 10*day)
			}
		})
	}
}

func TestOverlappingDatesOfTwoScopesFollowTheOrderOfScopes(t *testing.T) {
	t.Parallel()
	b := load(t, storeA1, "WK_SLA__RECHECK=1h", "WK_SLA__RECHECK__FROM=2027-01-01..2027-01-31",
		"WK_SLA__STORE__A1__RECHECK=2h", "WK_SLA__STORE__A1__RECHECK__FROM=2027-01-15..2027-02-15")
	for at, want := range map[string]time.Duration{
		"2026-12-31T00:00:00Z": 6 * time.Hour, "2027-01-02T00:00:00Z": time.Hour, "2027-01-20T00:00:00Z": 2 * time.Hour,
		"2027-02-10T00:00:00Z": 2 * time.Hour, "2027-02-16T00:00:00Z": 6 * time.Hour,
	} {
		if got := b.At(date(at)).For("aliexpress", "A1", sla.ReasonOther).Recheck.Value; got != want {
			t.Errorf("at %s: recheck = %s, want %s", at, got, want)
		}
	}
	if got := len(b.Eras()); got != 4 {
		t.Errorf("%d dates, want 4", got)
	}
	if b.At(date("2027-01-20T00:00:00Z")).At(time.Time{}) != b {
		t.Error("a book does not lead back to the book before all dates")
	}
}

func TestWarningsNameWhatIsHardlyMeant(t *testing.T) {
	t.Parallel()
	const live = "WK_SLA__MODE=live"
	for name, test := range map[string]struct {
		env  []string
		want []string
	}{
		"shadow":     {[]string{storeA1}, nil},
		"live":       {[]string{storeA1, live}, []string{"store A1 is live and has no answer that may cost anything, and none is preferred: ACCEPT_CAP is never, and ANSWER is playbook"}},
		"with a cap": {[]string{storeA1, live, "WK_SLA__ACCEPT_CAP=5USD"}, nil},
		"with steps": {[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h"}, nil},
		"steps that are barred, for one reason": {
			[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__STORE__A1__REASON__DAMAGED__ANSWER=accept@0h"},
			[]string{"store A1 is live and for damaged prefers an answer that is never sent: ACCEPT_CAP is never, and ANSWER pays"},
		},
		"a yes in another currency": {
			[]string{storeA1, "WK_SLA__APPROVE_ABOVE=15USD", "WK_SLA__STORE__A1__ACCEPT_CAP=1500JPY"},
			[]string{"store A1 has ACCEPT_CAP in JPY (WK_SLA__STORE__A1__ACCEPT_CAP) and APPROVE_ABOVE in USD (WK_SLA__APPROVE_ABOVE): every answer in JPY that pays waits for a yes"},
		},
		"chat without a hook": {
			[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__WARN=24h:log,6h:chat"},
			[]string{"store A1 is live and is to warn by chat (WK_SLA__WARN), and no hook for that is set (WK_NOTIFY__CHAT_URL_FILE): its warnings are lines of the log only"},
		},
		"a settle window that is short": {
			[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__SETTLE=2m"},
			[]string{"store A1 is live, and after 2m (WK_SLA__SETTLE) an answer of unknown outcome counts as lost and is sent again: what arrives later than that happens twice; 10m is the default"},
		},
		"a settle window that is long enough": {[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__SETTLE=10m"}, nil},
		"pages without a hook": {
			[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__STORE__A1__WARN=6h:page"},
			[]string{"store A1 is live and is to warn by page (WK_SLA__STORE__A1__WARN), and no hook for that is set (WK_NOTIFY__PAGE_URL_FILE): its warnings are lines of the log only"},
		},
		"chat with the pager's hook alone": {
			[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__WARN=6h", "WK_NOTIFY__PAGE_URL_FILE=/p"},
			[]string{"store A1 is live and is to warn by chat (WK_SLA__WARN), and no hook for that is set (WK_NOTIFY__CHAT_URL_FILE): its warnings are lines of the log only"},
		},
		"with a hook":              {[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__WARN=24h,6h:page", "WK_NOTIFY__CHAT_URL=https://h/x"}, nil},
		"warnings that are logged": {[]string{storeA1, live, "WK_SLA__ANSWER=refuse@0h", "WK_SLA__WARN=6h:log"}, nil},
		"chat of a shadow":         {[]string{storeA1, "WK_SLA__WARN=6h"}, nil},
		"from a date on": {
			[]string{storeA1, live, "WK_SLA__MODE__FROM=2027-02-05"},
			[]string{"store A1 is live and has no answer that may cost anything, and none is preferred: ACCEPT_CAP is never, and ANSWER is playbook (from 2027-02-05)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, load(t, test.env...).Warnings()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
