package rules_test

import (
	"strings"
	"testing"
)

const (
	cn    = "WK_CALENDAR__CN__ZONE=Asia/Shanghai"
	hours = "WK_CALENDAR__CN__HOURS=Mon-Fri 9:00-17:00"
)

// kindsOfWrong has one line for each kind of mistake.
var kindsOfWrong = []struct{ kind, env, variable, says string }{
	{"unknown variable", "WK_SLA__COLOUR=red", "WK_SLA__COLOUR", "no such variable"},
	{"misspelt variable", "WK_SLA__GURAD=2h", "WK_SLA__GURAD", "did you mean WK_SLA__GUARD?"},
	{"misspelt platform", "WK_SLA__ALIEXPRES__GUARD=2h", "WK_SLA__ALIEXPRES__GUARD", "did you mean WK_SLA__ALIEXPRESS__GUARD?"},
	{"misspelt reason", "WK_SLA__EBAY__REASON__DAMAGD__GUARD=2h", "WK_SLA__EBAY__REASON__DAMAGD__GUARD", "no reason DAMAGD"},
	{"reason everywhere", "WK_SLA__REASON__DAMAGED__GUARD=2h", "WK_SLA__REASON__DAMAGED__GUARD", "no platform REASON"},
	{"small letters", "wk_sla__guard=2h", "wk_sla__guard", "did you mean WK_SLA__GUARD?"},
	{"store that nobody declared", "WK_SLA__STORE__A2__GUARD=2h", "WK_SLA__STORE__A2__GUARD", "store A2 is not declared"},
	{"store without a platform", "WK_STORE__A2__POLL=5m", "WK_STORE__A2__PLATFORM", "is not set"},
	{"platform that does not exist", "WK_STORE__A2__PLATFORM=alibaba", "WK_STORE__A2__PLATFORM", "one of aliexpress, ebay"},
	{"store declared twice", "WK_STORE__A1__PLATFORM=ebay", "WK_STORE__A1__PLATFORM", "is set twice, differently"},
	{"variable of another connector", "WK_STORE__A1__TOKEN=x", "WK_STORE__A1__TOKEN", "no such variable"},
	{"reserved word as a store's id", "WK_STORE__LANE__PLATFORM=ebay", "WK_STORE__LANE__PLATFORM", "already have"},
	{"variable of one store said of a platform", "WK_STORE__EBAY__TOKEN=x", "WK_STORE__EBAY__TOKEN", "no such variable"},
	{"misspelt variable of a platform's stores", "WK_STORE__EBAY__RAET=5", "WK_STORE__EBAY__RAET", "did you mean WK_STORE__EBAY__RATE?"},
	{"no answer at once", "WK_STORE__A1__CONCURRENCY=0", "WK_STORE__A1__CONCURRENCY", "outside 1 to 1000"},
	{"rate with a unit", "WK_STORE__A1__RATE=5/1s", "WK_STORE__A1__RATE", "whole number"},
	{"rate beyond all platforms", "WK_STORE__EBAY__RATE=1001", "WK_STORE__EBAY__RATE", "outside 1 to 1000"},
	{"dates of a store's platform", "WK_STORE__A1__PLATFORM__FROM=2027-01-01", "WK_STORE__A1__PLATFORM__FROM", "no such variable"},
	{"dates of a secret", "WK_STORE__A1__APP_SECRET__FROM=2027-01-01", "WK_STORE__A1__APP_SECRET__FROM", "no such variable"},
	{"season without dates", "WK_SLA__TOTAL_BUDGET__SEASON=5USD", "WK_SLA__TOTAL_BUDGET__SEASON__FROM", "has none"},
	{"season of no value", "WK_SLA__TOTAL_BUDGET__SEASON__FROM=2027-01-01", "WK_SLA__TOTAL_BUDGET__SEASON__FROM", "that is not set"},
	{"end of a name", "WK_SLA__WINDOW=5d", "WK_SLA__WINDOW", "did you mean WK_SLA__RESPONSE_WINDOW?"},
	{"end of a name with a date", "WK_SLA__ALIEXPRESS__WINDOW__SEASON=5d", "WK_SLA__ALIEXPRESS__WINDOW__SEASON", "did you mean WK_SLA__ALIEXPRESS__RESPONSE_WINDOW__SEASON?"},
	{"end of a connector's name", "WK_STORE__A1__SECRET=x", "WK_STORE__A1__SECRET", "did you mean WK_STORE__A1__APP_SECRET?"},
	{"misspelt season", "WK_SLA__GUARD__SEASN=2h", "WK_SLA__GUARD__SEASN", "did you mean WK_SLA__GUARD__SEASON?"},
	{"season of a calendar", cn + " " + hours + " WK_CALENDAR__CN__CLOSED__SEASON=2027-01-01", "WK_CALENDAR__CN__CLOSED__SEASON", "no such variable"},
	{"platform as a store's id", "WK_STORE__EBAY__PLATFORM=ebay", "WK_STORE__EBAY__PLATFORM", "already have"},
	{"small letters in a store's id", "WK_STORE__a2__PLATFORM=ebay", "WK_STORE__a2__PLATFORM", "no such variable"},
	{"no value at all", "WK_SLA__GUARD", "WK_SLA__GUARD", "NAME=value"},
	{"empty value", "WK_SLA__GUARD=", "WK_SLA__GUARD", "empty; unset it"},
	{"blank value", "WK_SLA__GUARD= \t", "WK_SLA__GUARD", "empty; unset it"},
	{"nothing but a newline", "WK_SLA__GUARD=\n", "WK_SLA__GUARD", "empty; unset it"},
	{"not UTF-8", "WK_SLA__GUARD=\xff", "WK_SLA__GUARD", "invalid UTF-8"},
	{"NUL", "WK_SLA__GUARD=2h\x00", "WK_SLA__GUARD", "NUL"},
	{"newline inside", "WK_SLA__WARN=2h\n3h", "WK_SLA__WARN", "not a duration"},
	{"no unit", "WK_SLA__GUARD=90", "WK_SLA__GUARD", "the unit is missing"},
	{"unit that is none", "WK_SLA__GUARD=3y", "WK_SLA__GUARD", "not a duration"},
	{"negative duration", "WK_SLA__GUARD=-2h", "WK_SLA__GUARD", "negative"},
	{"zero where it means nothing", "WK_SLA__RESPONSE_WINDOW=0d", "WK_SLA__RESPONSE_WINDOW", "outside 1h to 180d"},
	{"longer than allowed", "WK_SLA__GUARD=31d", "WK_SLA__GUARD", "outside 1m to 30d"},
	{"longer than time", "WK_SLA__GUARD=99999999999d", "WK_SLA__GUARD", "too large"},
	{"parts of a day", "WK_SLA__EXTEND=36h", "WK_SLA__EXTEND", "whole number of days"},
	{"share without its sign", "WK_SLA__OFFER_SHARE=30", "WK_SLA__OFFER_SHARE", "% sign"},
	{"share above the whole", "WK_SLA__OFFER_SHARE=101%", "WK_SLA__OFFER_SHARE", "outside"},
	{"money without a currency", "WK_SLA__ACCEPT_CAP=25", "WK_SLA__ACCEPT_CAP", "currency is missing"},
	{"currency that does not exist", "WK_SLA__ACCEPT_CAP=25XYZ", "WK_SLA__ACCEPT_CAP", "unknown currency"},
	{"more digits than the currency has", "WK_SLA__ACCEPT_CAP=1.5JPY", "WK_SLA__ACCEPT_CAP", "not an amount"},
	{"budget below nothing", "WK_SLA__STORE_BUDGET=-1USD", "WK_SLA__STORE_BUDGET", "negative"},
	{"budgets in two currencies", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__BUYER_BUDGET=5EUR", "WK_SLA__BUYER_BUDGET", "in the currency of ACCEPT_CAP"},
	{"mode that does not exist", "WK_SLA__MODE=auto", "WK_SLA__MODE", "shadow, hold or live"},
	{"switch that is no switch", "WK_SLA__KILL=yes", "WK_SLA__KILL", "on or off"},
	{"channel that does not exist", "WK_SLA__WARN=6h:sms", "WK_SLA__WARN", "no channel"},
	{"point told twice", "WK_SLA__WARN=6h,6h:chat", "WK_SLA__WARN", "twice"},
	{"too many points", "WK_SLA__WARN=1h,2h,3h,4h,5h,6h,7h,8h,9h,10h,11h", "WK_SLA__WARN", "too many points"},
	{"share of the window that is all of it", "WK_SLA__WARN=100%", "WK_SLA__WARN", "outside 1% to 99%"},
	{"warning before the window", "WK_SLA__WARN=6d", "WK_SLA__WARN", "less than RESPONSE_WINDOW"},
	{"step without a time", "WK_SLA__ANSWER=refuse", "WK_SLA__ANSWER", "without its time"},
	{"step that is no answer", "WK_SLA__ANSWER=ignore@0h", "WK_SLA__ANSWER", "not an answer"},
	{"offer without a share", "WK_SLA__ANSWER=partial@0h", "WK_SLA__ANSWER", "not an answer"},
	{"evidence that does not exist", "WK_SLA__ANSWER=refuse?rumour@0h", "WK_SLA__ANSWER", "no evidence"},
	{"steps that go back", "WK_SLA__ANSWER=refuse@2d,accept@1d", "WK_SLA__ANSWER", "comes before"},
	{"step that gives less than an earlier one", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__ANSWER=partial:50%@0h,partial:30%@96h", "WK_SLA__ANSWER", "gives less than an earlier one"},
	{"step that takes everything back", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__ANSWER=accept@0h,refuse@96h", "WK_SLA__ANSWER", "gives less than an earlier one"},
	{"step that gives less on the same evidence", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__ANSWER=accept?lost@0h,refuse@0h,partial:30%?lost@96h", "WK_SLA__ANSWER", "gives less"},
	{"step after the window", "WK_SLA__ANSWER=refuse@119h", "WK_SLA__ANSWER", "before GUARD begins"},
	{"step above the cap", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__ANSWER=accept:6USD@0h", "WK_SLA__ANSWER", "within ACCEPT_CAP"},
	{"step in another currency", "WK_SLA__ACCEPT_CAP=5USD WK_SLA__ANSWER=accept:1EUR@0h", "WK_SLA__ANSWER", "in the currency of ACCEPT_CAP"},
	{"first claim held", "WK_SLA__HOLD_CLAIMS=1", "WK_SLA__HOLD_CLAIMS", "outside 2 to 99"},
	{"rate without a time", "WK_SLA__STORM=20", "WK_SLA__STORM", "a slash and a duration"},
	{"storm of one store", "WK_SLA__STORE__A1__STORM=20/1h", "WK_SLA__STORE__A1__STORM", "in this scope"},
	{"guard not before the answer", "WK_SLA__GUARD=72h", "WK_SLA__GUARD", "less than ACT_BEFORE"},
	{"answer before the window", "WK_SLA__ACT_BEFORE=6d", "WK_SLA__ACT_BEFORE", "at most RESPONSE_WINDOW"},
	{"answer after the window", "WK_SLA__ACT_AFTER=5d", "WK_SLA__ACT_AFTER", "before GUARD begins"},
	{"no time for a person", "WK_SLA__ACT_BEFORE=2h WK_SLA__MODE=hold WK_SLA__UNANSWERED=send", "WK_SLA__ACT_BEFORE", "time to say yes"},
	{"zone that does not exist", "WK_CALENDAR__CN__ZONE=Asia/Peking " + hours, "WK_CALENDAR__CN__ZONE", "zone"},
	{"calendar without a zone", hours, "WK_CALENDAR__CN__ZONE", "for example"},
	{"hours that are none", cn + " WK_CALENDAR__CN__HOURS=9-17", "WK_CALENDAR__CN__HOURS", "for example"},
	{"calendar that nobody declared", "WK_SLA__CALENDAR=CN", "WK_SLA__CALENDAR", "no such calendar"},
	{"calendar called none", "WK_CALENDAR__NONE__ZONE=Asia/Shanghai", "WK_CALENDAR__NONE__ZONE", "not NONE"},
	{"lane to nowhere", "WK_SHIPMENT__LANE__CN_XX__STALL=9d", "WK_SHIPMENT__LANE__CN_XX__STALL", "ISO 3166-1"},
	{"lane of every country", "WK_SHIPMENT__LANE__ANY_ANY__STALL=9d", "WK_SHIPMENT__LANE__ANY_ANY__STALL", "leave the level out"},
	{"lane before its carrier", "WK_SHIPMENT__LANE__CN_BR__CARRIER__YANWEN__STALL=9d", "WK_SHIPMENT__LANE__CN_BR__CARRIER__YANWEN__STALL", "no such variable"},
	{"carrier in small letters", "WK_SHIPMENT__CARRIER__yanwen__STALL=9d", "WK_SHIPMENT__CARRIER__yanwen__STALL", "capital letters"},
	{"misspelt threshold of a lane", "WK_SHIPMENT__LANE__CN_BR__STAL=9d", "WK_SHIPMENT__LANE__CN_BR__STAL", "did you mean WK_SHIPMENT__LANE__CN_BR__STALL?"},
	{"date of nothing", "WK_SLA__GUARD__FROM=2027-01-01", "WK_SLA__GUARD__FROM", "WK_SLA__GUARD to be set"},
	{"date that does not exist", "WK_SLA__GUARD=2h WK_SLA__GUARD__FROM=2027-02-30", "WK_SLA__GUARD__FROM", "not a day"},
	{"date of another time", "WK_SLA__GUARD=2h WK_SLA__GUARD__FROM=1927-02-20", "WK_SLA__GUARD__FROM", "2000 to 2200"},
	{"end before the beginning", "WK_SLA__GUARD=2h WK_SLA__GUARD__FROM=2027-01-02 WK_SLA__GUARD__UNTIL=2027-01-02", "WK_SLA__GUARD__UNTIL", "not after"},
	{"range that goes back", "WK_SLA__GUARD=2h WK_SLA__GUARD__FROM=2027-01-02..2027-01-01", "WK_SLA__GUARD__FROM", "not after"},
	{"end told twice", "WK_SLA__GUARD=2h WK_SLA__GUARD__FROM=2027-01-02..2027-01-03 WK_SLA__GUARD__UNTIL=2027-01-04", "WK_SLA__GUARD__UNTIL", "twice"},
	{"misspelt date", "WK_SLA__GUARD=2h WK_SLA__GUARD__FORM=2027-01-02", "WK_SLA__GUARD__FORM", "did you mean WK_SLA__GUARD__FROM?"},
	{"empty date", "WK_SLA__GUARD=2h WK_SLA__GUARD__UNTIL=", "WK_SLA__GUARD__UNTIL", "empty"},
	{"contradiction between two dates", "WK_SLA__GUARD=4d WK_SLA__GUARD__FROM=2027-01-02..2027-01-03", "WK_SLA__GUARD", "from 2027-01-02"},
}

// TestEveryKindOfWrongConfigurationIsOneReportedMistake holds that what is wrong is told once, by its variable, and with what would be right.
func TestEveryKindOfWrongConfigurationIsOneReportedMistake(t *testing.T) {
	t.Parallel()
	for _, test := range kindsOfWrong {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			got := problems(t, append([]string{storeA1}, entries(test.env)...)...)
			if len(got) != 1 || got[0].Variable != test.variable || !strings.Contains(got[0].String(), test.says) {
				t.Errorf("problems = %+v, want one about %s that says %q", got, test.variable, test.says)
			}
		})
	}
}

// entries cuts a line before each name.
func entries(line string) []string {
	out := strings.Split(line, " WK_")
	for i := range out[1:] {
		out[i+1] = "WK_" + out[i+1]
	}
	return out
}
