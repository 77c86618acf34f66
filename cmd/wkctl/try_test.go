package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
)

// stocked is a Redis with cases in two currencies, and with audit lines, each as of an instant.
func stocked(t *testing.T, lines ...any) string {
	t.Helper()
	addr := storetest.StartEmbedded(t)
	rdb := storetest.Connect(t, addr)
	clock := now.Add(-2 * day)
	s, err := store.Open(t.Context(), rdb, store.Options{
		Now: func() time.Time { return clock }, Stores: map[sla.StoreID]sla.Platform{"AE01": "bazaar", "AE02": "bazaar", "T17": "track99", "OLD": "bazaar"},
	})
	must(t, err)
	cases := testCases()
	yen := cases[2]
	yen.ID.Native, yen.Order, yen.Claimed, yen.Obligation.Cost = "1007", "81007", jpy(3000), jpy(3000)
	_, err = s.PutCases(t.Context(), append(cases, yen))
	must(t, err)
	_, err = s.PutShipments(t.Context(), testShipments())
	must(t, err)
	for i, l := range lines {
		b, err := json.Marshal(l)
		must(t, err)
		var head struct {
			At   time.Time `json:"at"`
			Case string    `json:"case"`
		}
		must(t, json.Unmarshal(b, &head))
		id, err := sla.ParseDisputeID(head.Case)
		must(t, err)
		clock = head.At.Add(time.Duration(i) * time.Millisecond)
		must(t, s.Audit(t.Context(), id, b))
	}
	return addr
}

// written is the path of a file of variables.
func written(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "new.env")
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600))
	return path
}

// answered is the line of a settled answer of a past turn of a damaged parcel.
func answered(id string, ago time.Duration, kind sla.AnswerKind, claimed, amount sla.Money) handle.Line {
	opened := now.Add(-ago - 2*day)
	return handle.Line{
		At: now.Add(-ago), Event: handle.EventAnswer, Case: id, Turn: sla.Turn(ago).String(), Answer: kind.String(), Amount: amount,
		Why: "negotiate", Rules: "0123456789ab", State: "settled", Facts: handle.LineFacts{
			Reason: "damaged", Claimed: claimed, Kinds: sla.Answers(sla.AnswerAccept, sla.AnswerOffer, sla.AnswerRefuse), Opened: opened,
			Deadline: opened.Add(5 * day), Cost: claimed,
		},
	}
}

// A tried is what a script reads of a trial.
type tried struct {
	Before   string `json:"rules_before"`
	After    string `json:"rules_after"`
	Cases    int    `json:"cases"`
	Open     int    `json:"open"`
	Recorded int    `json:"recorded"`
	Changed  int    `json:"changed"`
	ByChange struct {
		Action int `json:"action"`
		Time   int `json:"time"`
		Amount int `json:"amount"`
	} `json:"by_change"`
	PaidBefore  []amount       `json:"paid_before"`
	PaidAfter   []amount       `json:"paid_after"`
	More        []amount       `json:"more_paid"`
	Less        []amount       `json:"less_paid"`
	Gained      int            `json:"breaches_gained"`
	Avoided     int            `json:"breaches_avoided"`
	Differences []triedCase    `json:"differences"`
	Values      []triedSetting `json:"values"`
}

type amount struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

type triedCase struct {
	Case     string   `json:"case"`
	Recorded bool     `json:"recorded"`
	Changes  []string `json:"changes"`
}

type triedSetting struct {
	Scope    string `json:"scope"`
	Variable string `json:"variable"`
	Was      string `json:"was"`
	Is       string `json:"is"`
}

func try(t *testing.T, addr string, args ...string) tried {
	t.Helper()
	got := invoke(t, toys(), env(addr), append([]string{"rules", "try", "-o", "json"}, args...)...)
	got.want(t, exitOK)
	var v tried
	must(t, json.Unmarshal([]byte(got.out), &v))
	return v
}

// sameRules are the rules of env.
var sameRules = []string{"WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=25USD", "WK_SLA__STORE__AE01__REASON__NOT_RECEIVED__ACT_BEFORE=36h"}

func TestTheSameRulesChangeNothing(t *testing.T) {
	t.Parallel()
	addr := stocked(t, answered("AE01/900", 5*day, sla.AnswerOffer, usd(1000), usd(300)))
	v := try(t, addr, written(t, sameRules...))
	if v.Before != v.After || v.Changed != 0 || v.Cases != 7 || v.Open != 6 || v.Recorded != 1 || len(v.Values) != 0 || v.Differences == nil {
		t.Errorf("got %+v", v)
	}
	invoke(t, toys(), env(addr), "rules", "try", written(t, sameRules...)).want(t, exitOK, "0 of 7 cases differ", "no value differs", "1 open case(s) of stores")
}

func TestAChangedRuleShowsItsCasesAndItsMoney(t *testing.T) {
	t.Parallel()
	addr := stocked(t, answered("AE01/900", 5*day, sla.AnswerOffer, usd(1000), usd(300)), answered("AE01/901", 40*day, sla.AnswerOffer, usd(1000), usd(300)))
	dearer := written(t, append(sameRules, "WK_SLA__OFFER_SHARE=50%", "WK_SLA__STORE__AE02__ACCEPT_CAP=2000JPY")...)
	v := try(t, addr, dearer)
	if v.Cases != 7 || v.ByChange.Amount == 0 || v.Gained+v.Avoided != 0 {
		t.Errorf("want amounts changed and no breach, got %+v", v)
	}
	want := map[string]string{"AE01/900": "[amount]", "AE02/1003": "[action amount]", "AE02/1007": "[action amount]"}
	for _, d := range v.Differences {
		if got := strings.Join(d.Changes, " "); want[d.Case] != "["+got+"]" || d.Recorded != (d.Case == "AE01/900") {
			t.Errorf("%+v is not wanted", d)
		}
		delete(want, d.Case)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	// Of AE01/900 2 USD more; AE02/1003 is no longer within a cap; AE02/1007 is within one for the first time.
	for name, c := range map[string]struct {
		got  []amount
		want []amount
	}{
		"before": {v.PaidBefore, []amount{{"9.00", "USD"}}},
		"after":  {v.PaidAfter, []amount{{"1500", "JPY"}, {"5.00", "USD"}}},
		"more":   {v.More, []amount{{"1500", "JPY"}, {"2.00", "USD"}}},
		"less":   {v.Less, []amount{{"6.00", "USD"}}},
	} {
		if len(c.got) != len(c.want) || c.got[0] != c.want[0] || c.got[len(c.got)-1] != c.want[len(c.want)-1] {
			t.Errorf("%s: want %v, got %v", name, c.want, c.got)
		}
	}
	if twice := try(t, addr, dearer, "--since", "90d"); twice.Recorded != 2 {
		t.Errorf("want both recorded decisions, got %d", twice.Recorded)
	}
	golden(t, "rules_try.txt", invoke(t, toys(), env(addr), "rules", "try", dearer).out)
}

func TestATurnOfAnOpenCaseCountsOnce(t *testing.T) {
	t.Parallel()
	shadow := answered("AE02/1003", time.Hour, sla.AnswerOffer, usd(2000), usd(600))
	shadow.Event, shadow.State, shadow.Turn = handle.EventShadow, "", sla.Turn(9).String()
	beside := answered("AE01/900", 5*day, sla.AnswerExtend, usd(1000), sla.Money{})
	failed := answered("AE01/901", 5*day, sla.AnswerOffer, usd(1000), usd(300))
	failed.State = "refused"
	again := answered("AE01/902", 5*day, sla.AnswerOffer, usd(1000), usd(300))
	if v := try(t, stocked(t, shadow, beside, failed, again, again), written(t, sameRules...)); v.Recorded != 1 || v.Open != 6 {
		t.Errorf("want one recorded decision, got %+v", v)
	}
}

func TestAnOfferOfAnEarlierTurnIsRemembered(t *testing.T) {
	t.Parallel()
	earlier := answered("AE02/1003", 3*day, sla.AnswerOffer, usd(2000), usd(500))
	v := try(t, stocked(t, earlier), written(t, append(sameRules, "WK_SLA__STORE__AE02__ACCEPT_CAP=15USD")...))
	for _, d := range v.Differences {
		if d.Case == "AE02/1003" && strings.Join(d.Changes, " ") != "action amount" {
			t.Errorf("want the acceptance to become a person's, got %+v", d)
		}
	}
	if len(v.Less) != 1 || v.Less[0] != (amount{"20.00", "USD"}) {
		t.Errorf("want the full amount not paid, got %+v", v)
	}
}

func TestWhatEarlierAnswersCostCountsForTheCap(t *testing.T) {
	t.Parallel()
	for offered, want := range map[int64]int{500: 0, 501: 1} { // 20 USD more, of at most 25
		v := try(t, stocked(t, answered("AE02/1003", 3*day, sla.AnswerOffer, usd(2000), usd(offered))), written(t, append(sameRules, "WK_SLA__STORE__AE02__ACCEPT_CAP=26USD")...))
		if v.Changed != want || len(v.More) != want {
			t.Errorf("%d cents offered before: want %d case that pays more, got %+v", offered, want, v)
		}
	}
}

func TestRulesThatDoNotLoadAreReportedLikeACheck(t *testing.T) {
	t.Parallel()
	addr := stocked(t)
	bad := written(t, "WK_SLA__GUARDD=2h", "WK_SLA__ACT_BEFORE=5", "WK_STORE__AE01__API_KEY=quite-a-secret")
	for _, args := range [][]string{{"rules", "try", bad}, {"explain", "AE01/1001", "--env", bad}, {"rules", "try", bad, "-o", "json"}} {
		got := invoke(t, toys(), env(addr), args...)
		got.want(t, exitUsage, "WK_SLA__GUARDD", "WK_SLA__ACT_BEFORE", "the unit is missing", "2 problem(s)")
		if strings.Contains(got.out+got.err, "quite-a-secret") {
			t.Errorf("a secret is printed:\n%s%s", got.out, got.err)
		}
	}
	invoke(t, toys(), env(addr), "rules", "try", "/nowhere/new.env").want(t, exitUsage, "new.env")
	for _, args := range []string{"--since 0s", "--since soon", "--limit 0"} {
		invoke(t, toys(), env(addr), append([]string{"rules", "try", bad}, strings.Fields(args)...)...).want(t, exitUsage, "want")
	}
}
