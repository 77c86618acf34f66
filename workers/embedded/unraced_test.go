//go:build !race

package embedded_test

// raced says that the race detector watches.
const raced = false
