// Package rules turns the environment into the rulebook: which rule applies to a dispute or a parcel of which store, and which
// variable says so.
//
// It owns the names of the variables of rules, shipments and stores, what they accept, how scopes override each other, and the
// report of everything that is wrong with them. It promises that each mistake under WK_ is found at start and all of them
// are told at once, that every value knows the variable it came from, that a Book never changes and may be read from many
// goroutines, and that no error, row or hash shows a secret. What a store's credentials mean is left to its connector.
//
// A value applies in a scope: everywhere, on a platform, in a store, each of the last two also for one reason; for parcels everywhere, in a
// store, each also for a carrier, a lane, or a carrier on a lane. The most specific scope that has a variable decides it (chainOf and
// parcelBook have the orders). A variable may hold between two dates only; the dates of all variables cut time into eras, and a Book is
// the rulebook as of one of them.
//
// One declaration of each variable (vars_*.go) serves parsing, checking, printing and the documentation. A name is taken apart and not
// looked up in a list of all names, because with lanes and carriers there is no such list.
//
// It may import sla and sla/calendar, and nothing else of ours.
package rules
