// Package rules turns the environment into the rulebook: which rule applies to a dispute or a parcel of which store, and which
// variable says so.
//
// It owns the names of the variables of rules, shipments and stores, what they accept, how scopes override each other, and the
// report of everything that is wrong with them. It promises that each mistake under WK_ is found at start and all of them
// are told at once, that every value knows the variable it came from, that a Book never changes and may be read from many
// goroutines, and that no error, row or hash shows a secret. What a store's credentials mean is left to its connector.
//
// One declaration of each variable (vars.go) serves parsing, checking, printing and the documentation. go-envconfig reads it; its
// traps are met so: it stops at the first error, therefore each value is checked by itself before the structs are filled;
// an empty value counts as set, therefore it is refused; it ignores names it does not know, therefore every name under WK_
// must be declared.
//
// It may import sla, and nothing else of ours.
package rules
