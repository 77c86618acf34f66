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
	poll     sla.Sourced[time.Duration]
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
		all := []setting{
			bind(platformVariable, &s.platform, oneOf("platform", "one of "+strings.Join(names, ", "), parse), "aliexpress",
				"Which platform the store is on; declares the store."),
			bind("POLL", &s.poll, duration(5*time.Second, day), "5m", "How often the store's lists are read."),
		}
		all[0].about.Default, all[1].about.Default = "", "the platform's"
		return all
	})
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
