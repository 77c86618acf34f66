package sla

// Spent is what answers have cost in one day, UTC, as far as it was reserved and not given back, and how many were reserved lately. Each
// list has an amount for each currency, in the order of their codes.
type Spent struct {
	Stores map[StoreID][]Money
	Total  []Money
	Storm  int
}
