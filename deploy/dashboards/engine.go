package dashboards

// engine tells whether the processes, their queues and Redis work.
func engine() board {
	return board{
		uid: "engine", title: "Engine", refresh: "1m", variables: []Variable{choose("instance", "Process", "watchkeeper_build_info", false)},
		about: "Whether the processes live and agree, whether the queues flow, and whether Redis is safe and quick.",
		rows: []row{
			{title: "Processes", high: 5, panels: processes()},
			{high: 7, panels: machines()},
			{title: "Queues", high: 5, panels: queues()},
			{high: 7, panels: jobs()},
			{title: "Redis", high: 6, panels: servers()},
			{high: 7, panels: scripts()},
		},
	}
}

const ours = `{instance=~"$instance"}`

func processes() []panel {
	return []panel{
		{
			title: "Processes that live", kind: number(), wide: 4, unit: count, levels: below(2, 1), empty: "none", alerts: []string{"NoWorkers"},
			does: "Red: nobody is on watch, so start two processes (`wkctl config check` finds mistakes in the variables).",
			ask:  []ask{{`max(watchkeeper_processes)`, ""}},
		},
		{
			title: "Processes by role", kind: number(), wide: 8, unit: count, levels: below(2, 1),
			does: "Red: nobody has that role, so start a process that has it (`WK_WORKERS__ROLES`).", ask: []ask{{`sum by (role) (watchkeeper_role)`, "{{role}}"}},
		},
		{
			title: "Different rules in force", kind: number(), wide: 4, unit: count, levels: from(2), alerts: []string{"ConfigSkew"},
			does: "Red: finish the roll-out, or start the processes that stick with the old variables anew.", ask: []ask{{`max(watchkeeper_rules_versions)`, ""}},
		},
		{
			title: "Last sweep over the timers", kind: number(), wide: 4, unit: seconds, levels: above(60, 120), alerts: []string{"SweeperStalled"},
			does: "Red: what is due is not answered, so mend Redis or the clock, and restart a process that hangs.",
			ask:  []ask{{`time() - max(watchkeeper_sweep_last_success_timestamp_seconds)`, ""}},
		},
		{
			title: "Clocks that are wrong", kind: number(), wide: 4, unit: count, levels: from(1), alerts: []string{"ClockWrong"},
			does: "Red: set that machine's clock, as its process takes no work before.", ask: []ask{{`sum(watchkeeper_clock_wrong` + ours + `)`, ""}},
		},
	}
}

func machines() []panel {
	return []panel{
		{
			title: "Builds and rules", kind: table(), wide: 12, unit: count, hide: []string{"Time", "Value"},
			does: "When rows differ in version or hash for longer than a roll-out takes: it has stuck.",
			ask: []ask{{`max by (instance, version, go_version, hash, since) (watchkeeper_rules_info` + ours +
				` * on (instance) group_left (version, go_version) watchkeeper_build_info)`, ""}},
		},
		{
			title: "Processes that stopped without a word", kind: bars(), wide: 6, unit: count,
			does: "When it grows: processes are killed or crash, so see why they ended (memory, or the log's last lines).",
			ask:  []ask{{`sum(increase(watchkeeper_processes_gone_total[$__interval]))`, "gone"}},
		},
		{
			title: "Clocks ahead of that of Redis", kind: lines(), wide: 6, unit: seconds, levels: above(5, 20),
			does: "Red: the clocks part, so see that NTP runs on that machine and on that of Redis.",
			ask:  []ask{{`watchkeeper_clock_ahead_seconds` + ours, "{{instance}}"}},
		},
		{
			title: "Memory", kind: lines(), wide: 6, unit: octets,
			does: "When a line climbs for days: raise the request and the limit together, and report it with a heap profile.",
			ask:  []ask{{`process_resident_memory_bytes` + ours, "{{instance}}"}},
		},
		{
			title: "Processor", kind: lines(), wide: 6, unit: "none",
			does: "When a line stays at the number of cores: add processes.", ask: []ask{{`rate(process_cpu_seconds_total` + ours + `[$__rate_interval])`, "{{instance}}"}},
		},
		{
			title: "Goroutines", kind: lines(), wide: 6, unit: count, levels: above(1000, 5000),
			does: "Red: something waits that never ends, so take a profile of goroutines at the administrator's port and restart that process.",
			ask:  []ask{{`go_goroutines` + ours, "{{instance}}"}},
		},
		{
			title: "Leases ended for processes that were gone", kind: bars(), wide: 6, unit: count,
			does: "When it grows: others have taken up the work of processes that stopped, so see why they stopped.",
			ask:  []ask{{`sum(increase(watchkeeper_leases_ended_total[$__interval]))`, "leases"}},
		},
	}
}

const gaveUp = `watchkeeper_queue_jobs{state="archived"}`

func queues() []panel {
	return []panel{
		{
			title: "The oldest job waits for", kind: number(), wide: 8, unit: seconds, levels: above(30, 60), alerts: []string{"QueueLatencyHigh"},
			does: "Red: add processes or raise `WK_WORKERS__CONCURRENCY`, and see that the queue is not paused.",
			ask:  []ask{{`max by (queue) (watchkeeper_queue_latency_seconds)`, "{{queue}}"}},
		},
		{
			title: "Given up in the last hour", kind: number(), wide: 8, unit: count, levels: from(1), alerts: []string{"ArchivedJobs"},
			does: "Red: mend what the log names, as the cases come back by their timers and would fail again.",
			ask:  []ask{{`max by (queue) (` + gaveUp + `) - min by (queue) (min_over_time(` + gaveUp + `[1h]))`, "{{queue}}"}},
		},
		{
			title: "Jobs that nobody can read", kind: number(), wide: 8, unit: count, levels: from(1),
			does: "Red: something else writes into these queues, so give Redis to watchkeeper alone.",
			ask:  []ask{{`sum by (queue) (increase(watchkeeper_queue_unreadable_total[$__range]))`, "{{queue}}"}},
		},
	}
}

func jobs() []panel {
	return []panel{
		{
			title: "Jobs in the queues", kind: stack(), wide: 8, unit: count,
			does: "When pending grows for long: there are too few workers, or the platform is slow.",
			ask:  []ask{{`max by (queue, state) (watchkeeper_queue_jobs{state!="archived"})`, "{{queue}} {{state}}"}},
		},
		{
			title: "Archived jobs", kind: lines(), wide: 8, unit: count,
			does: "When it stands above nothing: delete the dead jobs once their cause is mended.", ask: []ask{{`max by (queue) (` + gaveUp + `)`, "{{queue}}"}},
		},
		{
			title: "Jobs that failed", kind: bars(), wide: 8, unit: count,
			does: "When it grows: only crashes and outages of Redis come here, so the log line `job failed` tells which.",
			ask:  []ask{{`sum by (kind) (increase(watchkeeper_jobs_total{result="failed"}[$__interval])) > 0`, byKind}},
		},
		{
			title: "Jobs done", kind: bars(), wide: 8, unit: count,
			does: "When there are none although timers run out: no process has the role work.",
			ask:  []ask{{`sum by (kind) (increase(watchkeeper_jobs_total{result="done"}[$__interval])) > 0`, byKind}},
		},
		{
			title: "How long jobs take, 99 of 100", kind: lines(), wide: 8, unit: seconds, levels: above(10, 25), empty: "no jobs",
			does: "Red: jobs come to the end of their time, usually because of the platform, so see how long its calls take.",
			ask:  []ask{{`histogram_quantile(0.99, sum by (kind, le) (rate(watchkeeper_job_duration_seconds_bucket[$__rate_interval]))) >= 0`, byKind}},
		},
		{
			title: "Timers that ran out", kind: bars(), wide: 8, unit: count,
			does: "When there are none for hours: nobody sweeps, or nothing is owed.",
			ask:  []ask{{`sum by (class) (increase(watchkeeper_due_claimed_total[$__interval]))`, "{{class}}"}},
		},
	}
}

func servers() []panel {
	return []panel{
		{
			title: "Redis answers", kind: number(), wide: 4, unit: "bool_yes_no", levels: to(1), alerts: []string{"RedisUnsafe"},
			does: "Red: bring Redis back, and the fleet goes on by itself.", ask: []ask{{`max(watchkeeper_store_up)`, ""}},
		},
		{
			title: "Servers that are not safe", kind: ranking(), wide: 8, unit: count, levels: from(1), alerts: []string{"RedisUnsafe"},
			does: "Red: mend what is named before the next failover or restart loses what was written.", ask: []ask{{`max by (reason) (watchkeeper_redis_unsafe)`, "{{reason}}"}},
		},
		{
			title: "Memory of the fullest server", kind: lines(), wide: 8, unit: share, levels: above(0.6, 0.75),
			does: "Red: give Redis more memory, as a full one refuses every write.", ask: []ask{{`max(watchkeeper_redis_memory_used_ratio)`, "used"}},
		},
		{
			title: "Servers that take writes", kind: number(), wide: 4, unit: count,
			does: "When it is not the number that you installed: a part of the cluster cannot be asked.", ask: []ask{{`max(watchkeeper_redis_servers)`, ""}},
		},
		{
			title: "Shards that lost their memory", kind: number(), wide: 4, unit: count, levels: from(1), alerts: []string{"MoneyFrozen"},
			does: "Red: unless this was a first start, find out whether Redis was flushed, restored or failed over.",
			ask:  []ask{{`sum(increase(watchkeeper_store_amnesia_total[$__range]))`, ""}},
		},
		{
			title: "Money is frozen for", kind: lines(), wide: 8, unit: seconds, levels: from(1), alerts: []string{"MoneyFrozen"},
			does: "Red: wait on the first start, and otherwise find out why Redis lost its memory and answer by hand what is near.",
			ask:  []ask{{`max(watchkeeper_money_frozen_seconds)`, "frozen"}},
		},
		{
			title: "Kill switches brought back", kind: number(), wide: 12, unit: count,
			does: "When it is not zero: shards had lost them, and no answer went out meanwhile.",
			ask:  []ask{{`sum(increase(watchkeeper_kill_switches_mended_total[$__range]))`, ""}},
		},
	}
}

func scripts() []panel {
	const times = `watchkeeper_script_duration_seconds`
	return []panel{
		{
			title: "How long scripts take, 99 of 100", kind: lines(), wide: 8, unit: seconds, levels: above(0.1, 0.5), empty: "no scripts",
			does: "Red: Redis or the way to it is slow, so look for other clients, a slow disk (appendfsync) and a far machine.",
			ask:  []ask{{`histogram_quantile(0.99, sum by (script, le) (rate(` + times + `_bucket[$__rate_interval]))) >= 0`, "{{script}}"}},
		},
		{
			title: "Time of scripts, of a second", kind: stack(), wide: 8, unit: share,
			does: "When one script takes most: it is what to look into when Redis is busy.",
			ask:  []ask{{`sum by (script) (rate(` + times + `_sum[$__rate_interval]))`, "{{script}}"}},
		},
		{
			title: "Scripts run", kind: lines(), wide: 8, unit: "ops",
			does: "When one jumps: see which work has grown with it in the queues and timers above.",
			ask:  []ask{{`sum by (script) (rate(` + times + `_count[$__rate_interval]))`, "{{script}}"}},
		},
	}
}
