//go:build !race

package simulation_test

const worlds = 3
