// Package fleet puts the parts together and keeps them running: it reads the machinery's variables, opens Redis, builds one connector
// for each store, and runs the poller, the sweeper and the job workers until it is told to stop. It is the only package that knows
// everybody, and may import all of ours but cmd and the development packages. It touches no signal, no global registry and no exit.
//
// What the metrics tell of all cases together (the earliest deadline, what is owed, the value at risk, unknown outcomes) wants a walk over the
// records. A scrape never walks: each replica counts by itself and tells what it found last. It counts again after a minute, or after a millisecond
// for each case on record where that is longer, an hour at most: a minute up to 60,000 cases, 17 minutes for a million. That walk takes some
// twenty seconds there, in small pages between which others are served, so that a replica costs Redis two hundredths of its time. A lease would
// save that of the second replica, and cost a record of what was found and the question who is to make it when its owner is gone; so there is none.
// A deadline is an instant, so a count that is old is still right about every case that it saw; what it has not seen yet is as old as the count at
// most. watchkeeper_cases_counted_timestamp_seconds tells how old that is.
package fleet
