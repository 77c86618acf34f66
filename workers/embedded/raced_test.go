//go:build race

package embedded_test

// raced says that the race detector watches, with which a month takes minutes: .ci/run plays the whole month without it.
const raced = true
