package rules

import (
	"strings"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/calendar"
)

const platformVariable = "PLATFORM"

// A storeHead is what the rulebook itself reads of a store.
type storeHead struct {
	platform sla.Sourced[platformName]
	pace     Pace
}

type platformName sla.Platform

func (p platformName) String() string { return string(p) }

// newStoreDesk declares the variables of a store that are not its connector's.
func newStoreDesk(platforms []Platform) *desk[storeHead] {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, string(p.Name))
	}
	parse := func(text string) (platformName, error) {
		if _, ok := platformOf(platforms, sla.Platform(text)); !ok {
			return "", errChoice
		}
		return platformName(text), nil
	}
	return newDesk(storeHead{}, func(s *storeHead) []setting {
		declares := bind(platformVariable, &s.platform, oneOf("platform", "one of "+strings.Join(names, ", "), parse), "aliexpress",
			"Which platform the store is on; declares the store.")
		declares.about.Default, declares.fixed = "", true
		return append([]setting{declares}, paceOf(&s.pace)...)
	})
}

// paceOf declares the variables of how much is asked of a store.
func paceOf(p *Pace) []setting {
	platforms := func(s setting) setting {
		s.about.Default = "the platform's"
		return s
	}
	return []setting{
		platforms(bind("POLL", &p.Poll, duration(5*time.Second, day), "5m", "How often a store's lists are read.")),
		bind("CONCURRENCY", &p.Concurrency, orNever(count(1, 1000), 0), "4",
			"How many disputes of one store may be under way to their answers at once in one process; the others wait their turn, the most urgent first; "+
				"never is no limit."),
		platforms(bind("RATE", &p.Rate, perSecond(1, 1000), "10",
			"How many calls a second all processes together make with one account or app of the platform, in place of what its connector assumes; "+
				"say it of the platform where stores share an app: each call is counted by its own store's number.")),
	}
}

// A calendarText is a calendar as its variables say it.
type calendarText struct {
	zone, hours, closed, open sla.Sourced[string]
}

func (c *calendarText) spec() calendar.Spec {
	return calendar.Spec{Zone: c.zone.Value, Hours: c.hours.Value, Closed: c.closed.Value, Open: c.open.Value}
}

// newCalendarDesk declares the variables of a calendar. What they mean is for the calendar to say, because one can contradict another.
func newCalendarDesk() *desk[calendarText] {
	return newDesk(calendarText{}, func(c *calendarText) []setting {
		return []setting{
			bind("ZONE", &c.zone, text(), "Asia/Shanghai", "The time zone of the calendar, by its IANA name; declares the calendar."),
			bind("HOURS", &c.hours, text(), "Mon-Fri 09:00-12:00 13:00-18:00, Sat 10:00-14:00",
				"The shifts of the week; a weekday that is not named is closed."),
			bind("CLOSED", &c.closed, text(), "2027-02-05..2027-02-11, 2027-05-01", "Dates on which nothing is open."),
			bind("OPEN", &c.open, text(), "2027-02-14, 2027-02-20 09:00-12:00",
				"Make-up days, open whatever HOURS and CLOSED say; without shifts, in those of the week's first open weekday."),
		}
	})
}
