package fleet

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// stormWindow is over which answers that pay are counted when no variable limits them.
const stormWindow = time.Hour

// moneyCollector tells what is reserved of the day's budgets, in major units. The stores are the configured ones.
type moneyCollector struct {
	book *rules.Book

	spent, spentAll, budget, budgetAll *prometheus.Desc
	storm, stormLimit                  *prometheus.Desc
}

func newMoneyCollector(desc func(name, help string, labels ...string) *prometheus.Desc, book *rules.Book) *moneyCollector {
	const currency = "currency"
	return &moneyCollector{
		book:     book,
		spent:    desc("spent_today", "What answers of a store cost today, UTC, unknown outcomes included, in major units.", "store", currency),
		spentAll: desc("spent_today_all_stores", "What answers of all stores cost today, UTC, unknown outcomes included, in major units.", currency),
		budget: desc("budget_today", "What a store may pay in a day, in major units, where it is limited; of several budgets for its reasons the smallest.",
			"store", currency),
		budgetAll:  desc("budget_today_all_stores", "What all stores may pay in a day, in major units, where it is limited.", currency),
		storm:      desc("storm_answers", "Answers that pay, reserved within the window of the storm stop, an hour where there is none."),
		stormLimit: desc("storm_limit", "How many answers that pay are allowed within the window of the storm stop, where it is set."),
	}
}

func (c *moneyCollector) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.spent, c.spentAll, c.budget, c.budgetAll, c.storm, c.stormLimit} {
		ch <- d
	}
}

// overall is the rule that holds the limits of all stores together, which are the same in every scope.
func (c *moneyCollector) overall(now time.Time) sla.Rule {
	return c.book.At(now).For("", "", sla.ReasonUnknown)
}

// window is the time over which a storm is looked for.
func (c *moneyCollector) window(now time.Time) time.Duration {
	if storm := c.overall(now).Storm.Value; storm.Per > 0 {
		return storm.Per
	}
	return stormWindow
}

func (c *moneyCollector) collect(now time.Time, spent sla.Spent, gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	book, overall := c.book.At(now), c.overall(now)
	for _, s := range book.Stores() {
		budgets := budgetsOf(book, s)
		for _, m := range withZeros(spent.Stores[s.ID], budgets) {
			gauge(c.spent, major(m), string(s.ID), string(m.Currency))
		}
		for _, m := range budgets {
			gauge(c.budget, major(m), string(s.ID), string(m.Currency))
		}
	}
	var total []sla.Money
	if m := overall.TotalBudget.Value; !m.IsZero() {
		total = append(total, m)
		gauge(c.budgetAll, major(m), string(m.Currency))
	}
	for _, m := range withZeros(spent.Total, total) {
		gauge(c.spentAll, major(m), string(m.Currency))
	}
	gauge(c.storm, float64(spent.Storm))
	if storm := overall.Storm.Value; storm.Count > 0 {
		gauge(c.stormLimit, float64(storm.Count))
	}
}

// budgetsOf are the smallest budgets of a store over its reasons, one for each currency.
func budgetsOf(book *rules.Book, s rules.Store) []sla.Money {
	least := map[sla.Currency]sla.Money{}
	for _, r := range sla.Reasons() {
		m := book.For(s.Platform, s.ID, r).StoreBudget.Value
		if old, known := least[m.Currency]; !m.IsZero() && (!known || m.Minor < old.Minor) {
			least[m.Currency] = m
		}
	}
	return slices.Collect(maps.Values(least))
}

// withZeros adds the currencies in which a budget is set and nothing is spent: a series that is not there cannot be compared.
func withZeros(spent, budgets []sla.Money) []sla.Money {
	out := slices.Clone(spent)
	for _, b := range budgets {
		if !slices.ContainsFunc(spent, func(m sla.Money) bool { return m.Currency == b.Currency }) {
			out = append(out, sla.Money{Currency: b.Currency})
		}
	}
	return out
}

// major is an amount in major units.
func major(m sla.Money) float64 {
	v, _ := strconv.ParseFloat(m.Major(), 64) // it writes plain decimals
	return v
}
