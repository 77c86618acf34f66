package dashboards

// parcels tells what is wrong with parcels, and whether they are looked at.
func parcels() board {
	return board{
		uid: "parcels", title: "Parcels", refresh: "5m", variables: []Variable{platform(), store()},
		about: "What is found wrong with parcels, whether the trackers are read, and whether parcels are looked at in time.",
		rows: []row{
			{title: "Anomalies", high: 9, panels: anomalies()},
			{title: "Trackers", high: 7, panels: trackers()},
			{title: "Looks", high: 7, panels: looks()},
		},
	}
}

func anomalies() []panel {
	const found = `watchkeeper_parcel_anomalies_total{platform=~"$platform"}`
	return []panel{
		{
			title: "Found on parcels", kind: ranking(), wide: 8, unit: count,
			does: "When one kind leads by far: it is one cause, a lane or a carrier, so see `wkctl shipments ls` for what they share.",
			ask:  []ask{{`sort_desc(sum by (anomaly) (increase(` + found + `[$__range])))`, "{{anomaly}}"}},
		},
		{
			title: "Found over time", kind: bars(), wide: 10, unit: count,
			does: "When many appear at once: expect disputes about them in days, and warn those buyers before.",
			ask:  []ask{{`sum by (anomaly) (increase(` + found + `[$__interval])) > 0`, "{{anomaly}}"}},
		},
		{
			title: "Lost, destroyed or kept by customs", kind: number(), wide: 6, unit: count, levels: above(1, 20),
			does: "Red: so many are not one parcel's bad luck, so ask the carrier, and stop sending by that lane until he answers.",
			ask: []ask{{`sum by (anomaly) (increase(watchkeeper_parcel_anomalies_total{platform=~"$platform",anomaly=~"lost|destroyed|customs_held"}[$__range]))`,
				"{{anomaly}}"}},
		},
	}
}

func trackers() []panel {
	const (
		read  = `max by (store) (watchkeeper_feed_last_success_timestamp_seconds{store=~"$store",feed="parcels"})`
		every = `max by (store) (watchkeeper_feed_interval_seconds{store=~"$store",feed="parcels"})`
	)
	return []panel{
		{
			title: "Trackers by their lag, of what is allowed", kind: ranking(), wide: 8, unit: share, levels: above(0.5, 1), empty: "no tracker",
			alerts: []string{"FeedStale"},
			does:   "Red: no scan is seen meanwhile, so see on the dashboard Platforms and feeds why the tracker's readings fail.",
			ask:    []ask{{`topk(15, (time() - ` + read + `) / (3 * ` + every + ` + 600))`, byStore}},
		},
		{
			title: "Age of the last reading", kind: lines(), wide: 8, unit: seconds, empty: "no tracker",
			does: "When a line climbs without falling: that tracker's list is not read to its end any more.", ask: []ask{{`time() - ` + read, byStore}},
		},
		{
			title: "Parcels are left alone", kind: bars(), wide: 8, unit: count,
			does: "When there are bars: time is short for answers and parcels wait, which is as it should be for some hours.",
			ask:  []ask{{`sum(increase(watchkeeper_left_undone_total{class="parcel"}[$__interval]))`, "sweeps left out"}},
		},
	}
}

func looks() []panel {
	return []panel{
		{
			title: "Parcels whose time to look came", kind: bars(), wide: 6, unit: count,
			does: "When it falls to nothing: nobody looks at the timers, so see whether the sweeps go on (dashboard Engine).",
			ask:  []ask{{`sum(increase(watchkeeper_due_claimed_total{class="parcel"}[$__interval]))`, "parcels"}},
		},
		{
			title: "Looks that failed", kind: bars(), wide: 6, unit: count,
			does: "When it grows: the log names the tracker's or Redis' error.",
			ask:  []ask{{`sum by (kind) (increase(watchkeeper_jobs_total{kind=~"parcel.*",result="failed"}[$__interval]))`, byKind}},
		},
		{
			title: "How long looks take", kind: lines(), wide: 6, unit: seconds, levels: above(10, 25), empty: "no looks",
			does: "Red: looks come to the end of their time, so see whether the tracker is slow.",
			ask: []ask{{`histogram_quantile(0.99, sum by (kind, le) (rate(watchkeeper_job_duration_seconds_bucket{kind=~"parcel.*"}[$__rate_interval]))) >= 0`,
				"{{kind}}, 99 of 100"}},
		},
		{
			title: "The oldest look waits for", kind: number(), wide: 6, unit: seconds, levels: above(30, 60), alerts: []string{"QueueLatencyHigh"},
			does: "Red: there are too few workers for the parcels, so add processes or raise `WK_WORKERS__CONCURRENCY`.",
			ask:  []ask{{`max(watchkeeper_queue_latency_seconds{queue="parcels"})`, ""}},
		},
	}
}
