//go:build !race

package roundtrip_test

const raced = false
