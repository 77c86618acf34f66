package dashboards

import "strings"

// The units of Grafana that are used.
const (
	seconds = "s"
	share   = "percentunit"
	count   = "short"
	money   = "locale" // amounts of several currencies, which the legend names
	perSec  = "reqps"
	octets  = "bytes"
)

// How series are named by one of their labels.
const (
	byPlatform = "{{platform}}"
	byStore    = "{{store}}"
	byKind     = "{{kind}}"
)

const earliest = `(min by (platform) (watchkeeper_earliest_deadline_timestamp_seconds{platform=~"$platform"}) < Inf) - time()`

// today tells a person on watch what must be done now, and which of some alerts fire.
func today(alerts []string) board {
	return board{
		uid: "today", title: "Today", refresh: "30s", variables: []Variable{platform(), store()},
		about: "What the seller owes, until when, what went out, what holds it back, and what it cost.",
		rows: []row{
			{title: "Now", high: 7, panels: firing(alerts)},
			{title: "Deadlines", high: 8, panels: deadlines()},
			{high: 4, panels: counting()},
			{title: "Answers", high: 8, panels: answers()},
			{high: 7, panels: results()},
			{title: "What holds answers back", high: 5, panels: brakes()},
			{high: 6, panels: messages()},
			{title: "Money of today (UTC)", high: 7, panels: spending()},
		},
	}
}

func firing(alerts []string) []panel {
	return []panel{
		{
			title: "Time left", kind: number(), wide: 6, unit: seconds, levels: below(6*3600, 2*3600), empty: "nothing is owed", alerts: []string{"DisputeDeadlineImminent"},
			does: "Red: free the first case of `wkctl cases ls`, or answer it in the platform's back office.", ask: []ask{{earliest, byPlatform}},
		},
		{
			title: "Time left before the guard", kind: number(), wide: 6, unit: seconds, levels: below(4*3600, 1800), empty: "nothing is owed",
			alerts: []string{"DisputeDeadlineImminent"},
			does:   "Red: in less than half an hour no answer goes out by itself, so ask `wkctl explain` now why it waits.",
			ask:    []ask{{earliest + ` - max by (platform) (watchkeeper_effective_guard_seconds{platform=~"$platform"})`, byPlatform}},
		},
		{
			title: "Past their deadline", kind: number(), wide: 4, unit: count, levels: from(1), alerts: []string{"DisputeBreached"},
			does: "Red: appeal in the platform's back office, where it lets you, and see below what kept the answers.",
			ask:  []ask{{`sum(max by (platform) (watchkeeper_open_obligations{platform=~"$platform",stage="breach"}))`, ""}},
		},
		{
			title: "Alerts that fire", kind: table(), wide: 8, unit: count, empty: "none",
			does: "When there is a row: open the page of that name in deploy/runbooks.", hide: []string{"Time", "Value"},
			ask: []ask{{`count by (alertname, severity) (ALERTS{alertstate="firing",alertname=~"` + strings.Join(alerts, "|") + `"})`, ""}},
		},
	}
}

func deadlines() []panel {
	return []panel{
		{
			title: "Time left, over time", kind: lines(), wide: 8, unit: seconds, levels: below(6*3600, 2*3600), empty: "nothing is owed",
			does: "Red: nothing answers there, so look at what holds answers back.",
			ask: []ask{{earliest, byPlatform},
				{`max by (platform) (watchkeeper_effective_guard_seconds{platform=~"$platform"})`, "guard of {{platform}}"}},
		},
		{
			title: "Open obligations by stage", kind: stack(), wide: 8, unit: count,
			does: "When guard or breach grows: answers come too late, so see whether time is short or yeses are waited for.",
			ask:  []ask{{`sum by (stage) (max by (platform, stage) (watchkeeper_open_obligations{platform=~"$platform"}))`, "{{stage}}"}},
			tint: []tint{{"none", green}, {"warn", "yellow"}, {"act", blue}, {"fallback", orange}, {"guard", "dark-orange"}, {"breach", red}},
		},
		{
			title: "Value at risk", kind: stack(), wide: 8, unit: money,
			does: "When it grows for hours: more is opened than answered, so look at the answers and their modes.",
			ask:  []ask{{`sum by (currency) (max by (platform, currency) (watchkeeper_value_at_risk{platform=~"$platform"}))`, "{{currency}}"}},
		},
	}
}

func counting() []panel {
	return []panel{
		{
			title: "How short time is", kind: number(), wide: 8, unit: count, levels: above(1, 3), alerts: []string{"TimeIsShort"},
			does: "Red: not all that is due can go out in time, so ask the platform for a larger allowance or answer by hand.",
			ask:  []ask{{`max by (platform) (watchkeeper_pressure_level{platform=~"$platform"})`, byPlatform}},
		},
		{
			title: "Age of the count, of what it may be", kind: number(), wide: 8, unit: share, levels: above(0.6, 1), alerts: []string{"CasesNotCounted"},
			does: "Red: what is told of deadlines here is old, so trust `wkctl cases ls` alone until the count goes on.",
			ask:  []ask{{`(time() - max(watchkeeper_cases_counted_timestamp_seconds)) / (300 + 0.003 * max(watchkeeper_cases))`, ""}},
		},
		{
			title: "Cases without a timer", kind: number(), wide: 8, unit: count, levels: from(1), alerts: []string{"CasesWithoutTimer"},
			does: "Red: nobody looks at these cases by himself, so let `wkctl doctor` name them and arm them again.",
			ask:  []ask{{`max(watchkeeper_cases_without_timer)`, ""}},
		},
	}
}

const (
	answered = `watchkeeper_answers_total{platform=~"$platform"}`
	stuck    = `watchkeeper_answers_total{platform=~"$platform",outcome=~"refused|unknown|too_late"}`
	sent     = `watchkeeper_answers_total{platform=~"$platform",outcome=~"accepted|refused|unknown|too_late"}`
	margin   = `watchkeeper_answer_margin_seconds_bucket{platform=~"$platform"}`
)

func answers() []panel {
	return []panel{
		{
			title: "Answers by outcome", kind: bars(), wide: 8, unit: count,
			does: "When refused, unknown or too_late grow: read in the log what the platform says of our answers.",
			ask:  []ask{{`sum by (outcome) (increase(` + answered + `[$__interval])) > 0`, "{{outcome}}"}},
			tint: []tint{{"accepted", green}, {"confirmed", "semi-dark-green"}, {"refused", red}, {"unknown", orange}, {"too_late", "dark-red"}},
		},
		{
			title: "Answers by mode", kind: bars(), wide: 8, unit: count,
			does: "When a store goes live and nothing shows under live: its rules are not in force yet, so see the engine's hashes of rules.",
			ask:  []ask{{`sum by (mode) (increase(` + answered + `[$__interval])) > 0`, "{{mode}}"}},
		},
		{
			title: "Time left when an answer was accepted", kind: spread(seconds), wide: 8, unit: count,
			does: "When the cells sink to the bottom: answers get slower, so see whether time is short or a yes comes late.",
			ask:  []ask{{`sum by (le) (increase(` + margin + `[$__interval]))`, "{{le}}"}},
		},
	}
}

func results() []panel {
	return []panel{
		{
			title: "Time left, all but 5 of 100 answers", kind: number(), wide: 6, unit: seconds, levels: below(6*3600, 2*3600), empty: "no answers",
			does: "Red: the last answers went out within half an hour of the guard, so set a larger `ACT_BEFORE` or add workers.",
			ask:  []ask{{`histogram_quantile(0.05, sum by (platform, le) (increase(` + margin + `[$__range]))) >= 0`, byPlatform}},
		},
		{
			title: "Did not get through, of half an hour", kind: number(), wide: 6, unit: share, levels: above(0.2, 0.5), empty: "no answers",
			alerts: []string{"ResponderFailing"},
			does:   "Red: the platform takes no answers or tells nothing of them, so answer by hand what is near its guard.",
			ask:    []ask{{`sum by (platform) (increase(` + stuck + `[30m])) / (sum by (platform) (increase(` + sent + `[30m])) > 0)`, byPlatform}},
		},
		{
			title: "Breaches by cause", kind: ranking(), wide: 6, unit: count, levels: from(1), alerts: []string{"DisputeBreached"},
			does: "Red: take away the cause that is named, of which silent is the worst, as nobody had been told.",
			ask:  []ask{{`sum by (cause) (` + counted(`watchkeeper_breaches_total{platform=~"$platform"}`, "$__range", "$__range_s") + `)`, "{{cause}}"}},
		},
		{
			title: "What shadow would have sent", kind: ranking(), wide: 6, unit: count,
			does: "When you would not have sent these: change the rules before the store goes live (`wkctl shadow report`).",
			ask:  []ask{{`sum by (answer) (increase(watchkeeper_shadow_answers_total{platform=~"$platform"}[$__range]))`, "{{answer}}"}},
		},
	}
}

func brakes() []panel {
	return []panel{
		{
			title: "Kill switches that are on", kind: number(), wide: 6, unit: count, levels: from(1), alerts: []string{"KillSwitchLeftOn"},
			does: "Red: nothing goes out under them, so see `wkctl kill-switch ls` and take off what is over.",
			ask:  []ask{{`max by (scope) (watchkeeper_kill_switch_on)`, "{{scope}}"}},
		},
		{
			title: "Answers that wait for a yes", kind: number(), wide: 4, unit: count, levels: above(1, 20),
			does: "Red: say yes or no to them (`wkctl cases ls`, then approve or reject) before their guards pass.",
			ask:  []ask{{`max by (platform) (watchkeeper_held_answers{platform=~"$platform"})`, byPlatform}},
		},
		{
			title: "Unknown for too long", kind: number(), wide: 4, unit: count, levels: from(1), alerts: []string{"UnknownOutcomesAgeing"},
			does: "Red: look in the platform's back office whether the answer took effect, and never send it again before.",
			ask:  []ask{{`max by (platform) (watchkeeper_unknown_answers_late{platform=~"$platform"})`, byPlatform}},
		},
		{
			title: "Age of the oldest unknown outcome", kind: number(), wide: 5, unit: seconds, levels: above(600, 1200), empty: "none is unknown",
			does: "Red: it is not learnt in the settle window, so see whether the platform can be read.",
			ask: []ask{{`time() - (min by (platform) (watchkeeper_unknown_answers_oldest_timestamp_seconds{platform=~"$platform"}) < Inf)`,
				byPlatform}},
		},
		{
			title: "Money is frozen for", kind: number(), wide: 5, unit: seconds, levels: from(1), alerts: []string{"MoneyFrozen"},
			does: "Red: Redis lost its memory, so find out why, and answer by hand what does not last until the end of the freeze.",
			ask:  []ask{{`max(watchkeeper_money_frozen_seconds)`, ""}},
		},
	}
}

func messages() []panel {
	return []panel{
		{
			title: "Paged a person within the hour", kind: number(), wide: 5, unit: count, levels: from(1), alerts: []string{"PersonNeeded"},
			does: "Red: `wkctl cases ls` has the cases that wait for somebody, by their deadlines.",
			ask:  []ask{{`sum by (platform) (` + counted(`watchkeeper_pages_total{platform=~"$platform"}`, "1h", "3600") + `)`, byPlatform}},
		},
		{
			title: "A person was paged", kind: bars(), wide: 9, unit: count,
			does: "When it grows: the log line `a person must act` says which case and why.",
			ask:  []ask{{`sum by (platform) (increase(watchkeeper_pages_total{platform=~"$platform"}[$__interval]))`, byPlatform}},
		},
		{
			title: "Messages that reached nobody", kind: number(), wide: 5, unit: count, levels: from(1), alerts: []string{"NotificationsFailing"},
			does: "Red: mend the webhook, and go through `wkctl cases ls` for what nobody was told of.",
			ask: []ask{{`sum by (channel) (` + counted(`watchkeeper_notifications_total{outcome=~"failed|dropped"}`, "$__range", "$__range_s") + `)`,
				"{{channel}}"}},
		},
		{
			title: "Messages that wait for their webhook", kind: number(), wide: 5, unit: count, levels: above(5, 50),
			does: "Red: the webhook does not answer, so see whether it is reached from the pods.",
			ask:  []ask{{`sum(watchkeeper_notification_queue)`, ""}},
		},
	}
}

func spending() []panel {
	return []panel{
		{
			title: "Of the stores' budgets", kind: ranking(), wide: 8, unit: share, levels: above(0.6, 0.8), empty: "no budget is set",
			alerts: []string{"BudgetNearlySpent"},
			does:   "Red: find out why so much is paid, and raise the budget only if that is right.",
			ask: []ask{{`topk(12, max by (store, currency) (watchkeeper_spent_today{store=~"$store"}) / max by (store, currency) (watchkeeper_budget_today{store=~"$store"}))`,
				"{{store}} {{currency}}"}},
		},
		{
			title: "Of the budget of all", kind: number(), wide: 4, unit: share, levels: above(0.6, 0.8), empty: "no budget is set",
			alerts: []string{"BudgetNearlySpent"},
			does:   "Red: what goes beyond it pages a person, so decide now who looks at those cases today.",
			ask:    []ask{{`max by (currency) (watchkeeper_spent_today_all_stores) / max by (currency) (watchkeeper_budget_today_all_stores)`, "{{currency}}"}},
		},
		{
			title: "Spent", kind: lines(), wide: 8, unit: money,
			does: "When it climbs in one step: look at the cases that were paid last (`wkctl cases ls`) before more is paid.",
			ask:  []ask{{`max by (currency) (watchkeeper_spent_today_all_stores)`, "{{currency}}"}},
		},
		{
			title: "Of the limit of a storm", kind: number(), wide: 4, unit: share, levels: above(0.5, 0.8), empty: "no limit is set",
			alerts: []string{"RefundStorm"},
			does:   "Red: throw the kill switch if these payments are wrong, as each further one will page a person anyway.",
			ask:    []ask{{`max(watchkeeper_storm_answers) / max(watchkeeper_storm_limit)`, ""}},
		},
	}
}

// counted is what counters rose by within a time, as the alerts on them reckon it: of a process that is younger than that, all that it counted.
func counted(counters, span, seconds string) string {
	return `(` + counters + ` and on (instance) time() - process_start_time_seconds < ` + seconds + `) > 0 or increase(` + counters + `[` + span + `])`
}
