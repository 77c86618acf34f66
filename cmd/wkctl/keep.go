package main

import "slices"

// A keeper keeps the first few of a stream in an order, and forgets the rest: its memory depends on how many are wanted, not on how many
// there are.
type keeper[T any] struct {
	most  int
	order func(a, b T) int
	kept  []T
	seen  int
}

func newKeeper[T any](most int, order func(a, b T) int) *keeper[T] {
	return &keeper[T]{most: most, order: order}
}

// offer takes one of the stream. The surplus is cut off now and then, because sorting for each one would be slow.
func (k *keeper[T]) offer(v T) {
	k.seen++
	if k.kept = append(k.kept, v); len(k.kept) >= 2*k.most+64 {
		k.cut()
	}
}

func (k *keeper[T]) cut() {
	slices.SortFunc(k.kept, k.order)
	k.kept = k.kept[:min(k.most, len(k.kept))]
}

// sorted gives what is kept, in order.
func (k *keeper[T]) sorted() []T {
	k.cut()
	return k.kept
}
