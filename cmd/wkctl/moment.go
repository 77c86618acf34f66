package main

import (
	"bytes"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// The ways in which the instant of a reply is known.
const (
	fromFlag  = "flag"
	fromDate  = "date_header"
	fromReply = "reply"
	fromClock = "clock"
)

// moment is when a reply was recorded: what the caller says, the Date header of the recording, the newest instant that the reply states
// (an update, an event, a change of a dispute), or now.
func (p *player) moment(rec recording, r reading) (time.Time, string) {
	switch newest := stated(rec.body, r); {
	case !p.at.IsZero():
		return p.at, fromFlag
	case !rec.date.IsZero():
		return rec.date.UTC(), fromDate
	case !newest.IsZero():
		return newest, fromReply
	}
	return p.now, fromClock
}

// stated is the newest instant that a reply states as past.
func stated(body []byte, r reading) time.Time {
	newest := updated(body)
	take := func(at time.Time) {
		if at.After(newest) {
			newest = at
		}
	}
	for _, s := range r.shipments {
		take(s.Registered)
		take(s.LastEvent())
	}
	for _, d := range r.disputes {
		take(d.Opened)
		take(d.Modified)
		take(d.Closed.At)
		for _, o := range d.Obligations {
			take(o.Opened)
		}
	}
	return newest.UTC()
}

// updates are the members of replies that say when the platform last changed or fetched something.
var updates = map[string]bool{"updated_at": true, "update_time": true, "latest_sync_time": true}

// updated finds the newest of them in a reply, wherever it stands, if it tells its zone.
func updated(body []byte) time.Time {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var newest time.Time
	name := ""
	for {
		token, err := d.ReadToken()
		if err != nil {
			return newest
		}
		kind, count := d.StackIndex(d.StackDepth())
		text := token.Kind() == '"'
		switch {
		case text && kind == '{' && count%2 == 1:
			name = token.String()
			continue
		case text && updates[name]:
			if at, err := time.Parse(time.RFC3339, token.String()); err == nil && at.After(newest) {
				newest = at
			}
		}
		name = ""
	}
}
