package rules

import "slices"

// A Recipe is one tuning that operators ask for, as an example: the one or two variables that make it.
type Recipe struct {
	Number string // "1"; one that takes several stores or dates is several, "13a" and "13b"
	Title  string
	Env    []string // NAME=value, of the stores AE01 and AE02 on aliexpress
	Beside []string // what it builds upon, where the defaults do not go with it
}

// Recipes lists the tunings in order. The documentation shows them, and a test holds each to the decision that it promises.
func Recipes() []Recipe { return slices.Clone(recipes) }

var recipes = []Recipe{
	{
		Number: "1", Title: "AliExpress is answered 24 hours earlier during Spring Festival: four days before the deadline, and not three",
		Env: []string{"WK_SLA__ALIEXPRESS__ACT_BEFORE=4d", "WK_SLA__ALIEXPRESS__ACT_BEFORE__FROM=2027-02-05..2027-02-20"},
	},
	{
		Number: "2", Title: "Parcels to Brazil may be silent for 15 days before they count as stalled",
		Env: []string{"WK_SHIPMENT__LANE__ANY_BR__STALL=15d"},
	},
	{
		Number: "3", Title: "A parcel that is delivered and signed for is refused, everything else gets an offer of 30 %",
		Env: []string{"WK_SLA__ANSWER=refuse?signed@0h,partial:30%@0h"},
	},
	{
		Number: "4", Title: "No refund above 15 USD without a person's yes",
		Env: []string{"WK_SLA__APPROVE_ABOVE=15USD"},
	},
	{
		Number: "5", Title: "A store pays at most 300 USD a day",
		Env: []string{"WK_SLA__STORE__AE01__STORE_BUDGET=300USD"},
	},
	{
		Number: "6", Title: "One store in shadow, the others live",
		Env: []string{"WK_SLA__STORE__AE02__MODE=shadow"}, Beside: []string{"WK_SLA__MODE=live"},
	},
	{
		Number: "7", Title: "Claims for missing items are accepted at once up to 3 USD, and answered at once above",
		Env: []string{"WK_SLA__ALIEXPRESS__REASON__MISSING__ANSWER=accept:3USD@0h,playbook@0h", "WK_SLA__ALIEXPRESS__REASON__MISSING__ACT_AFTER=0h"},
	},
	{
		Number: "8", Title: "A buyer's third claim within 30 days waits for a person",
		Env: []string{"WK_SLA__HOLD_CLAIMS=3"},
	},
	{
		Number: "9", Title: "People are paged only when less than 6 hours are left, and hear of it by chat before",
		Env: []string{"WK_SLA__WARN=24h:chat,6h:page"},
	},
	{
		Number: "10", Title: "One carrier may be silent for five days more",
		Env: []string{"WK_SHIPMENT__CARRIER__YANWEN__STALL=17d"},
	},
	{
		Number: "11a", Title: "More answers at once in the peak season",
		Env:    []string{"WK_STORE__ALIEXPRESS__CONCURRENCY__SEASON=16", "WK_STORE__ALIEXPRESS__CONCURRENCY__SEASON__FROM=2026-11-01..2026-12-31"},
		Beside: []string{"WK_STORE__ALIEXPRESS__CONCURRENCY=4"},
	},
	{
		Number: "11b", Title: "More calls a second in the peak season, once the platform has raised the app's quota",
		Env: []string{"WK_STORE__ALIEXPRESS__RATE=20", "WK_STORE__ALIEXPRESS__RATE__FROM=2026-11-01..2026-12-31"},
	},
	{
		Number: "11c", Title: "A larger budget for each store in the peak season",
		Env:    []string{"WK_SLA__ALIEXPRESS__STORE_BUDGET=600USD", "WK_SLA__ALIEXPRESS__STORE_BUDGET__FROM=2026-11-01..2026-12-31"},
		Beside: []string{"WK_SLA__STORE_BUDGET=300USD"},
	},
	{
		Number: "11d", Title: "A larger budget for all stores together in the peak season, and the usual one before and after",
		Env:    []string{"WK_SLA__TOTAL_BUDGET__SEASON=600USD", "WK_SLA__TOTAL_BUDGET__SEASON__FROM=2026-11-01..2026-12-31"},
		Beside: []string{"WK_SLA__TOTAL_BUDGET=300USD"},
	},
	{
		Number: "12", Title: "Nothing is sent now, while warnings and pages go on (`wkctl kill-switch on --scope all` does it without a restart)",
		Env: []string{"WK_SLA__KILL=on"},
	},
	{
		Number: "13a", Title: "A platform whose window differs by country, in a store where it is 48 hours",
		Env: []string{"WK_SLA__STORE__AE01__RESPONSE_WINDOW=48h", "WK_SLA__STORE__AE01__ACT_BEFORE=24h"},
	},
	{
		Number: "13b", Title: "The same platform, in a store where it is one working day",
		Env: []string{"WK_SLA__STORE__AE02__RESPONSE_WINDOW=24h", "WK_SLA__STORE__AE02__WINDOW_CALENDAR=BR"},
		Beside: []string{
			"WK_CALENDAR__BR__ZONE=America/Sao_Paulo", "WK_CALENDAR__BR__HOURS=Mon-Fri 00:00-24:00", "WK_SLA__STORE__AE02__ACT_BEFORE=12h",
			"WK_SLA__STORE__AE02__WARN=50%",
		},
	},
}
