package dashboards

// platforms tells whether the platforms are read, how they answer, and whether they let us in.
func platforms() board {
	return board{
		uid: "platforms", title: "Platforms and feeds", refresh: "1m", variables: []Variable{platform(), store()},
		about: "Whether the platforms' lists are read in time, how their calls fare, and when their credentials end.",
		rows: []row{
			{title: "Feeds", high: 8, panels: feeds()},
			{high: 6, panels: stopped()},
			{high: 6, panels: rows()},
			{title: "Calls", high: 8, panels: calls()},
			{title: "Time", high: 7, panels: pace()},
			{title: "Credentials", high: 8, panels: credentials()},
		},
	}
}

const (
	lastRead = `max by (store, feed) (watchkeeper_feed_last_success_timestamp_seconds{store=~"$store"})`
	interval = `max by (store, feed) (watchkeeper_feed_interval_seconds{store=~"$store"})`
	polls    = `watchkeeper_polls_total{platform=~"$platform"}`
	failed   = `watchkeeper_polls_total{platform=~"$platform",kind!~"none|throttled"}`
	tried    = `watchkeeper_polls_total{platform=~"$platform",kind!="throttled"}`
)

func feeds() []panel {
	return []panel{
		{
			title: "Feeds by their lag, of what is allowed", kind: ranking(), wide: 8, unit: share, levels: above(0.5, 1), alerts: []string{"FeedStale"},
			does: "Red: see beside it why the readings of that feed fail, and look in its back office for new disputes meanwhile.",
			ask:  []ask{{`topk(15, (time() - ` + lastRead + `) / (3 * ` + interval + ` + 600))`, "{{store}} {{feed}}"}},
		},
		{
			title: "Age of the last reading", kind: lines(), wide: 8, unit: seconds,
			does: "When a line climbs without falling: that feed is not read to its end any more.",
			ask:  []ask{{`time() - ` + lastRead, "{{store}} {{feed}}"}},
		},
		{
			title: "How often feeds are read", kind: lines(), wide: 8, unit: seconds,
			does: "When it grows: time is short, or the platform asks us to wait, and new disputes are seen later.",
			ask:  []ask{{interval, "{{store}} {{feed}}"}},
		},
	}
}

func stopped() []panel {
	return []panel{
		{
			title: "Readings by outcome", kind: bars(), wide: 8, unit: count,
			does: "When another kind than none and throttled grows: look for it in the page FeedStale of deploy/runbooks.",
			ask:  []ask{{`sum by (kind) (increase(` + polls + `[$__interval])) > 0`, byKind}}, tint: []tint{{"none", green}, {"throttled", "yellow"}},
		},
		{
			title: "Readings that failed, of the last hour", kind: number(), wide: 8, unit: share, levels: above(0.06, 0.144), empty: "nothing was read",
			alerts: []string{"PollsBurnFast", "PollsBurnSlow"},
			does:   "Red: see the kind beside it, and the platform's own page about its state.",
			ask:    []ask{{`sum by (platform) (increase(` + failed + `[1h])) / (sum by (platform) (increase(` + tried + `[1h])) > 0)`, byPlatform}},
		},
		{
			title: "Stores that are not let in", kind: ranking(), wide: 8, unit: count, levels: from(1), alerts: []string{"StoreStopped"},
			does: "Red: authorise the store anew, as nothing of it is read or answered until then.",
			ask: []ask{{`topk(15, max by (store) (watchkeeper_feed_refused_timestamp_seconds{store=~"$store"}) > bool on (store) ` +
				`max by (store) (watchkeeper_feed_last_success_timestamp_seconds{store=~"$store"}))`, byStore}},
		},
	}
}

func rows() []panel {
	return []panel{
		{
			title: "Rows by what became of them", kind: bars(), wide: 8, unit: count,
			does: "When unchanged is all there is although buyers write: the platform's list may lag, so compare it with its back office.",
			ask:  []ask{{`sum by (verdict) (increase(watchkeeper_rows_total{platform=~"$platform"}[$__interval])) > 0`, "{{verdict}}"}},
			tint: []tint{{"rejected", red}},
		},
		{
			title: "Rows that could not be read", kind: number(), wide: 8, unit: count, levels: from(1),
			does: "Red: the platform has changed its replies, so keep the rejected rows and report it.",
			ask:  []ask{{`sum by (platform) (increase(watchkeeper_rows_total{platform=~"$platform",verdict="rejected"}[$__range]))`, byPlatform}},
		},
		{
			title: "Readings lost with their process", kind: number(), wide: 8, unit: count, levels: above(1, 3),
			does: "Red: a page of that platform ends processes, so look in the log for the feed that was put off and report it.",
			ask:  []ask{{`sum by (platform) (increase(watchkeeper_feed_readings_lost_total{platform=~"$platform"}[$__range]))`, byPlatform}},
		},
	}
}

const (
	requests = `watchkeeper_platform_requests_total{platform=~"$platform"}`
	broken   = `watchkeeper_platform_requests_total{platform=~"$platform",kind=~"unavailable|unauthorised|forbidden|malformed|outcome_unknown"}`
	waits    = `watchkeeper_platform_requests_total{platform=~"$platform",kind="throttled"}`
	took     = `watchkeeper_platform_request_duration_seconds_bucket{platform=~"$platform"}`
)

func calls() []panel {
	return []panel{
		{
			title: "Calls by operation", kind: stack(), wide: 8, unit: perSec,
			does: "When one operation takes all of the allowance: see whether its list is read too often.",
			ask:  []ask{{`sum by (op) (rate(` + requests + `[$__rate_interval]))`, "{{op}}"}},
		},
		{
			title: "Failed calls by kind", kind: bars(), wide: 8, unit: count,
			does: "When unauthorised or forbidden shows: a person must authorise a store; the other kinds are the platform's.",
			ask:  []ask{{`sum by (kind) (increase(watchkeeper_platform_requests_total{platform=~"$platform",kind!="none"}[$__interval])) > 0`, byKind}},
		},
		{
			title: "Calls that failed, of the last hour", kind: number(), wide: 8, unit: share, levels: above(0.06, 0.144), empty: "no calls",
			alerts: []string{"PlatformCallsBurnFast", "PlatformCallsBurnSlow"},
			does:   "Red: see the platform's own page about its state and the network's way out, and answer by hand what is near.",
			ask:    []ask{{`sum by (platform) (increase(` + broken + `[1h])) / (sum by (platform) (increase(` + requests + `[1h])) > 0)`, byPlatform}},
		},
		{
			title: "Calls that were throttled", kind: lines(), wide: 8, unit: share, levels: above(0.05, 0.2), empty: "no calls",
			does: "Red: lower `RATE` of the stores, or ask the platform for a larger allowance.",
			ask: []ask{{`sum by (platform) (rate(` + waits + `[$__rate_interval])) / (sum by (platform) (rate(` + requests + `[$__rate_interval])) > 0)`,
				byPlatform}},
		},
		{
			title: "How long calls take", kind: lines(), wide: 8, unit: seconds, levels: above(5, 10), empty: "no calls",
			does: "Red: the guard grows with the platform's slowness, so expect answers to be due earlier and see whether time is short.",
			ask: []ask{
				{`histogram_quantile(0.5, sum by (platform, le) (rate(` + took + `[$__rate_interval]))) >= 0`, "{{platform}}, half"},
				{`histogram_quantile(0.99, sum by (platform, le) (rate(` + took + `[$__rate_interval]))) >= 0`, "{{platform}}, 99 of 100"},
			},
		},
		{
			title: "Calls left to a timer", kind: bars(), wide: 8, unit: count,
			does: "When it grows: jobs meet a platform that is out, and their timers bring them back without help.",
			ask:  []ask{{`sum by (kind) (increase(watchkeeper_platform_calls_put_off_total[$__interval])) > 0`, byKind}},
		},
	}
}

func pace() []panel {
	return []panel{
		{
			title: "Deadlines off the rule's window", kind: number(), wide: 6, unit: seconds, levels: above(600, 3600), alerts: []string{"WindowDrift"},
			does: "Red: set the platform's `WINDOW` to what it allows now.",
			ask:  []ask{{`max by (platform) (abs(watchkeeper_window_drift_seconds{platform=~"$platform"}))`, byPlatform}},
		},
		{
			title: "Platforms' clocks off ours", kind: number(), wide: 6, unit: seconds, levels: above(5, 20),
			does: "Red: compare the clocks (`wkctl doctor`), as several platforms are rarely wrong and one alone often is.",
			ask:  []ask{{`max by (platform) (abs(watchkeeper_platform_clock_skew_seconds{platform=~"$platform"}))`, byPlatform}},
		},
		{
			title: "Guard, and how much earlier answers are due", kind: lines(), wide: 6, unit: seconds,
			does: "When either climbs: the platform is slow or much is due at once, so see whether time is short.",
			ask: []ask{{`max by (platform) (watchkeeper_effective_guard_seconds{platform=~"$platform"})`, "{{platform}}, guard"},
				{`max by (platform) (watchkeeper_act_lead_seconds{platform=~"$platform"})`, "{{platform}}, earlier"}},
		},
		{
			title: "Left undone because time is short", kind: bars(), wide: 6, unit: count,
			does: "When it grows for hours: raise `RATE` or `CONCURRENCY` of the stores, if the platform allows it.",
			ask:  []ask{{`sum by (class) (increase(watchkeeper_left_undone_total[$__interval]))`, "{{class}}"}},
		},
	}
}

const lifetime = `max by (store) (watchkeeper_credential_lifetime_seconds{store=~"$store"})`

// ends is how long a part of each store's credential still holds, where that is told.
func ends(part string) string {
	return `((min by (store) (watchkeeper_credential_expiry_timestamp_seconds{store=~"$store",credential="` + part + `"}) < Inf) - time())`
}

func credentials() []panel {
	return []panel{
		{
			title: "Access ends, of the time that an alert wants", kind: ranking(), wide: 6, unit: share, levels: below(1.3, 1), empty: "no end is told",
			alerts: []string{"CredentialExpiring"},
			does:   "Red: it was not renewed at four fifths of its life, so look in the log for the token, and whether the platform is out.",
			ask:    []ask{{`bottomk(15, ` + ends("access") + ` / (0.15 * ` + lifetime + ` + 259200 * (` + lifetime + ` == bool 0)))`, byStore}},
		},
		{
			title: "The right to renew ends in", kind: ranking(), wide: 6, unit: seconds, levels: below(10*86400, 5*86400), empty: "no end is told",
			alerts: []string{"CredentialExpiring"},
			does:   "Red: a person must authorise the store anew before it ends.", ask: []ask{{`bottomk(15, ` + ends("refresh") + `)`, byStore}},
		},
		{
			title: "Access ends in", kind: lines(), wide: 6, unit: seconds, empty: "no end is told",
			does: "When a line falls without a jump back: that store's token is not renewed.", ask: []ask{{ends("access"), byStore}},
		},
		{
			title: "Credentials that no key opens", kind: number(), wide: 6, unit: count, levels: from(1), alerts: []string{"StoreStopped"},
			does: "Red: put the key that is missing into the file of `WK_VAULT__KEY_FILE` again, below the first line.",
			ask:  []ask{{`sum(max by (store) (watchkeeper_credential_sealed{store=~"$store"}))`, ""}},
		},
	}
}
