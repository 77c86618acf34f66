package rules_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
	"watchkeeper/sla/rules"
)

const day = 24 * time.Hour

// ruleVariables is how many variables a rule has in the default scope.
const ruleVariables = 22

func options() rules.Options {
	return rules.Options{
		Platforms: []rules.Platform{
			{Name: "aliexpress", StoreVariables: []string{"APP_KEY", "APP_SECRET", "BASE_URL"}},
			{Name: "ebay", StoreVariables: []string{"TOKEN"}, Defaults: func(r sla.Rule) sla.Rule {
				r.Window = sla.By("the connector", 3*day)
				r.ActBefore = sla.By("the connector", 30*time.Hour)
				return r
			}},
		},
		Also: []string{"WK_REDIS__URL", "WK_DEMO_*", "WK_NOTIFY__*"},
	}
}

func load(t *testing.T, env ...string) *rules.Book {
	t.Helper()
	b, err := rules.Load(t.Context(), env, options())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return b
}

func problems(t *testing.T, env ...string) []rules.Problem {
	t.Helper()
	b, err := rules.Load(t.Context(), env, options())
	var report *rules.Report
	if !errors.As(err, &report) || b != nil {
		t.Fatalf("Load = %v, %v; want no book and a *Report", b, err)
	}
	return report.Problems
}

func TestMostSpecificScopeWinsForEachVariable(t *testing.T) {
	t.Parallel()
	steps := []struct {
		variable string
		want     time.Duration
	}{
		{"WK_SLA__ACT_BEFORE", 20 * time.Hour},
		{"WK_SLA__ALIEXPRESS__ACT_BEFORE", 21 * time.Hour},
		{"WK_SLA__ALIEXPRESS__REASON__NOT_RECEIVED__ACT_BEFORE", 22 * time.Hour},
		{"WK_SLA__STORE__AE01__ACT_BEFORE", 23 * time.Hour},
		{"WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__ACT_BEFORE", 24 * time.Hour},
	}
	env := []string{"WK_STORE__AE01__PLATFORM=aliexpress", "WK_SLA__RECHECK=2h"}
	for _, s := range steps {
		env = append(env, fmt.Sprintf("%s=%s", s.variable, s.want))
		r := load(t, env...).For("aliexpress", "AE01", sla.ReasonNotReceived)
		if diff := cmp.Diff(sla.By(s.variable, s.want), r.ActBefore); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", s.variable, diff)
		}
		if diff := cmp.Diff(sla.By("WK_SLA__RECHECK", 2*time.Hour), r.Recheck); diff != "" {
			t.Errorf("recheck with %s (-want +got):\n%s", s.variable, diff)
		}
		if diff := cmp.Diff(sla.DefaultRule().Guard, r.Guard); diff != "" {
			t.Errorf("guard with %s (-want +got):\n%s", s.variable, diff)
		}
	}
	b := load(t, env...)
	if got := b.For("aliexpress", "AE01", sla.ReasonDamaged).ActBefore.From; got != steps[3].variable {
		t.Errorf("another reason of the store is set by %s, want %s", got, steps[3].variable)
	}
	if got := b.For("aliexpress", "AE99", sla.ReasonNotReceived).ActBefore.From; got != steps[2].variable {
		t.Errorf("another store of the platform is set by %s, want %s", got, steps[2].variable)
	}
	if got := b.For("lazada", "LZ01", sla.ReasonNotReceived).ActBefore.From; got != steps[0].variable {
		t.Errorf("another platform is set by %s, want %s", got, steps[0].variable)
	}
}

func TestPlatformDefaultsLieUnderEveryVariable(t *testing.T) {
	t.Parallel()
	b := load(t, "WK_STORE__EB1__PLATFORM=ebay", "WK_SLA__ACT_BEFORE=5h")
	r := b.For("ebay", "EB1", sla.ReasonUnknown)
	if diff := cmp.Diff(sla.By(sla.FromDefault, 3*day), r.Window); diff != "" {
		t.Errorf("window (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sla.By("WK_SLA__ACT_BEFORE", 5*time.Hour), r.ActBefore); diff != "" {
		t.Errorf("act before (-want +got):\n%s", diff)
	}
}

func TestEmptyEnvironmentGivesTheDefaults(t *testing.T) {
	t.Parallel()
	b := load(t, "PATH=/bin", "HOME=")
	if diff := cmp.Diff(sla.DefaultRule(), b.For("aliexpress", "", sla.ReasonOther)); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sla.DefaultShipmentRule(), b.Shipments("ANY", sla.Lane{})); diff != "" {
		t.Errorf("shipment rule (-want +got):\n%s", diff)
	}
	if got := b.Stores(); len(got) != 0 {
		t.Errorf("stores = %v, want none", got)
	}
}

func TestEveryRuleVariableReachesItsField(t *testing.T) {
	t.Parallel()
	const p = "WK_SLA__EBAY__"
	env := []string{"WK_CALENDAR__CN__ZONE=Asia/Shanghai", "WK_CALENDAR__CN__HOURS=Mon-Fri 9:00-17:00", "WK_SLA__TOTAL_BUDGET=1000JPY", "WK_SLA__STORM=20/1h"}
	for name, v := range map[string]string{
		"RESPONSE_WINDOW": "2w", "WARN": "6h, 2d,6h:page", "ACT_BEFORE": "1d12h", "GUARD": "2h", "MODE": "live", "SETTLE": "15m",
		"RECHECK": "45m", "OFFER_SHARE": "12.5%", "ACCEPT_CAP": "1500JPY", "EXTEND": "5d", "ACT_AFTER": "0h",
		"ANSWER": "refuse?signed@0h, partial:30%@96h,accept:99 JPY@110h", "APPROVE_ABOVE": "never", "HOLD_CLAIMS": "3", "UNANSWERED": "refuse",
		"BUYER_BUDGET": "50JPY", "STORE_BUDGET": "300JPY", "KILL": "on", "CALENDAR": "CN", "WINDOW_CALENDAR": "none",
	} {
		env = append(env, p+name+"="+v)
	}
	jpy := func(n int64) sla.Money { return sla.Money{Minor: n, Currency: "JPY"} }
	want := sla.Rule{
		Window: sla.By(p+"RESPONSE_WINDOW", 14*day), ActBefore: sla.By(p+"ACT_BEFORE", 36*time.Hour), ActAfter: sla.By(p+"ACT_AFTER", time.Duration(0)),
		Warn: sla.By(p+"WARN", []sla.WarnPoint{
			{Before: 6 * time.Hour, Channel: sla.ChannelChat}, {Before: 2 * day, Channel: sla.ChannelChat}, {Before: 6 * time.Hour, Channel: sla.ChannelPage},
		}),
		Guard: sla.By(p+"GUARD", 2*time.Hour), Mode: sla.By(p+"MODE", sla.ModeLive), Settle: sla.By(p+"SETTLE", 15*time.Minute),
		Recheck: sla.By(p+"RECHECK", 45*time.Minute), OfferShare: sla.By(p+"OFFER_SHARE", 1250), AcceptCap: sla.By(p+"ACCEPT_CAP", jpy(1500)),
		Extend: sla.By(p+"EXTEND", 5*day), ApproveAbove: sla.By(p+"APPROVE_ABOVE", sla.Money{}), HoldClaims: sla.By(p+"HOLD_CLAIMS", 3),
		Answer: sla.By(p+"ANSWER", []sla.Step{
			{Kind: sla.AnswerRefuse, If: sla.EvidenceSigned}, {Kind: sla.AnswerOffer, Share: 3000, After: 4 * day},
			{Kind: sla.AnswerAccept, Limit: jpy(99), After: 110 * time.Hour},
		}),
		Unanswered: sla.By(p+"UNANSWERED", sla.UnansweredRefuse), BuyerBudget: sla.By(p+"BUYER_BUDGET", jpy(50)), StoreBudget: sla.By(p+"STORE_BUDGET", jpy(300)),
		TotalBudget: sla.By("WK_SLA__TOTAL_BUDGET", jpy(1000)), Storm: sla.By("WK_SLA__STORM", sla.Rate{Count: 20, Per: time.Hour}), Kill: sla.By(p+"KILL", true),
		WindowClock: sla.By[*calendar.Calendar](p+"WINDOW_CALENDAR", nil),
	}
	got := load(t, env...).For("ebay", "", sla.ReasonOther)
	if c := got.Calendar; c.Value.Name() != "CN" || c.From != p+"CALENDAR" {
		t.Errorf("calendar = %s from %s", c.Value.Name(), c.From)
	}
	got.Calendar = sla.Sourced[*calendar.Calendar]{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestShipmentRuleOfAStoreOverridesTheGeneralOne(t *testing.T) {
	t.Parallel()
	b := load(t, "WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE02__PLATFORM=aliexpress", "WK_SHIPMENT__STALL=9d",
		"WK_SHIPMENT__CUSTOMS=6d", "WK_SHIPMENT__STORE__AE01__STALL=10d")
	want := sla.DefaultShipmentRule()
	want.Stall, want.Customs = sla.By("WK_SHIPMENT__STORE__AE01__STALL", 10*day), sla.By("WK_SHIPMENT__CUSTOMS", 6*day)
	if diff := cmp.Diff(want, b.Shipments("AE01", sla.Lane{})); diff != "" {
		t.Errorf("AE01 (-want +got):\n%s", diff)
	}
	if got := b.Shipments("AE02", sla.Lane{}).Stall; got != sla.By("WK_SHIPMENT__STALL", 9*day) {
		t.Errorf("AE02 stall = %v", got)
	}
}

func TestStoresCarryTheirConnectorVariables(t *testing.T) {
	t.Parallel()
	env := []string{
		"WK_STORE__B2__PLATFORM=ebay", "WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A1__APP_SECRET=s3cr3t=x", "WK_STORE__A1__POLL=90s",
		"WK_REDIS__URL=redis://:hunter2@host", "WK_DEMO_SPEED=3",
	}
	want := []rules.Store{
		{
			ID: "A1", Platform: "aliexpress", Pace: rules.Pace{Poll: sla.By("WK_STORE__A1__POLL", 90*time.Second)},
			Env: map[string]string{"APP_SECRET": "s3cr3t=x"},
		},
		{ID: "B2", Platform: "ebay", Env: map[string]string{}},
	}
	b := load(t, env...)
	if diff := cmp.Diff(want, b.Stores()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Stores()[0].Env["APP_SECRET"] = "changed"
	if diff := cmp.Diff(want, b.Stores()); diff != "" {
		t.Errorf("a caller changed the book (-want +got):\n%s", diff)
	}
}

func TestNothingThatCanBePrintedHoldsASecret(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	env := []string{
		"WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A1__APP_KEY=" + secret, "WK_STORE__A1__APP_SECRET=" + secret,
		"WK_STORE__A1__BASE_URL=https://u:" + secret + "@host",
	}
	b := load(t, env...)
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, b, *b, b.Stores(), b.Stores()[0])
	}
	fmt.Fprintf(&out, "%+v %s", b.Rows(rules.Filter{}), b.Hash())
	_, err := rules.Load(t.Context(), append(env, "WK_STORE__A1__APP_SECERT="+secret, "WK_STORE__A1__APP_KEY="+secret+"\x00",
		"WK_STORE__A2__TOKEN="+secret, "WK_"+"STORE__A1__APP_SECRET=other"+secret, "WK_REDIS__PASWORD="+secret), options())
	fmt.Fprintf(&out, "%v %+v", err, err)
	if err == nil || strings.Contains(out.String(), secret) {
		t.Errorf("a secret is shown, or nothing was refused:\n%s", out.String())
	}
}

func TestHashChangesWithARuleAndNotWithASecret(t *testing.T) {
	t.Parallel()
	base := []string{"WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A1__APP_KEY=one"}
	first := load(t, base...).Hash()
	other := []string{"WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A1__APP_KEY=two", "WK_SLA__GUARD=90m"}
	if got := load(t, other...).Hash(); got != first || len(got) != 12 {
		t.Errorf("the same rules give %s and %s", first, got)
	}
	if got := load(t, append(base, "WK_SLA__STORE__A1__REASON__DAMAGED__GUARD=91m")...).Hash(); got == first {
		t.Errorf("a changed rule keeps the hash %s", first)
	}
}

func TestRowsTellValueAndOriginOfEachScope(t *testing.T) {
	t.Parallel()
	b := load(t, "WK_STORE__A1__PLATFORM=aliexpress", "WK_STORE__A1__APP_KEY=k", "WK_SLA__STORE__A1__REASON__DAMAGED__OFFER_SHARE=45.25%",
		"WK_SLA__ALIEXPRESS__ACCEPT_CAP=25 usd")
	rows := b.Rows(rules.Filter{Store: "A1"})
	for _, want := range []rules.Row{
		{"store A1", "PLATFORM", "aliexpress", "WK_STORE__A1__PLATFORM"},
		{"store A1", "APP_KEY", "(set)", "WK_STORE__A1__APP_KEY"},
		{"store A1", "ACCEPT_CAP", "25.00USD", "WK_SLA__ALIEXPRESS__ACCEPT_CAP"},
		{"store A1", "WARN", "1d,6h", sla.FromDefault},
		{"store A1", "SHIPMENT__STALL", "12d", sla.FromDefault},
		{"store A1, reason damaged", "OFFER_SHARE", "45.25%", "WK_SLA__STORE__A1__REASON__DAMAGED__OFFER_SHARE"},
	} {
		if !slices.Contains(rows, want) {
			t.Errorf("missing %+v", want)
		}
	}
	for _, r := range rows {
		if !strings.HasPrefix(r.Scope, "store A1") {
			t.Errorf("%+v passed the filter", r)
		}
	}
	if got := len(b.Rows(rules.Filter{Platform: "ebay"})); got != ruleVariables-2 {
		t.Errorf("ebay has %d rows, want one for each variable that is not of the default scope alone", got)
	}
}

func TestForAllocatesNothingAndIsSafeToShare(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the whole process
	b := load(t, "WK_STORE__A1__PLATFORM=aliexpress", "WK_SLA__STORE__A1__REASON__DAMAGED__MODE=live")
	if n := testing.AllocsPerRun(100, func() {
		_ = b.For("aliexpress", "A1", sla.ReasonDamaged)
		_ = b.For("nobody", "NOWHERE", sla.Reason(250))
		_ = b.Shipments("A1", sla.Lane{Carrier: "yanwen", Origin: "CN", Dest: "BR"})
	}); n != 0 {
		t.Errorf("For allocates %v times", n)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := b.For("aliexpress", "A1", sla.ReasonDamaged).Mode.Value; got != sla.ModeLive {
				t.Errorf("mode = %s", got)
			}
			_ = b.Rows(rules.Filter{})
		})
	}
	all.Wait()
}

func TestEveryVariableIsDocumentedAndItsExampleAccepted(t *testing.T) {
	t.Parallel()
	all := rules.Variables(options().Platforms)
	if len(all) != ruleVariables+6+4+4+3+4 {
		t.Errorf("%d variables", len(all))
	}
	fit := strings.NewReplacer("<STORE>", "A1", "<PLATFORM>", "ALIEXPRESS", "<REASON>", "NOT_RECEIVED", "<CARRIER>", "YANWEN", "<ORIGIN>", "CN", "<DEST>", "ANY",
		"<CALENDAR>", "CN", "…<VARIABLE>", "RECHECK")
	for _, v := range all {
		if v.Name == "" || len(v.Scopes) == 0 || v.Type == "" || v.Noun == "" || !strings.HasSuffix(v.Sentence, ".") {
			t.Errorf("not documented: %+v", v)
		}
		for _, name := range v.Scopes {
			if v.Example == "" {
				continue
			}
			env := []string{"WK_STORE__A1__PLATFORM=aliexpress", fit.Replace(name) + "=" + v.Example}
			if v.Name != "ZONE" {
				env = append(env, "WK_CALENDAR__CN__ZONE=Asia/Shanghai")
			}
			if v.Name != "HOURS" {
				env = append(env, "WK_CALENDAR__CN__HOURS=Mon-Fri 9:00-17:00")
			}
			if v.Noun == rules.NounDate {
				variable := strings.TrimSuffix(fit.Replace(name), "__"+v.Name)
				env[1] = strings.NewReplacer("STORE__RECHECK", "STORE__A1__POLL", "1000USD", "1h").Replace(env[1])
				env = append(env, "WK_SLA__RECHECK=1h", "WK_SHIPMENT__RECHECK=1h", "WK_STORE__A1__POLL=1h")
				if v.Name == "SEASON" {
					env = append(env, strings.Replace(variable, "STORE__RECHECK", "STORE__A1__POLL", 1)+"__SEASON__FROM=2027-02-05")
				}
			}
			load(t, env...)
		}
	}
}
