package rules

import "strings"

// Nearest finds the candidate with the fewest edits to name, the first in order among equals; empty when none is near enough to
// have been meant. When none is, one underscore for two is forgiven.
func Nearest(name string, candidates []string) string {
	if near := nearest(name, candidates, func(c string) string { return c }); near != "" {
		return near
	}
	return nearest(oneEach.Replace(name), candidates, oneEach.Replace)
}

// oneEach writes one underscore where two part the levels of a name: one for two is the commonest slip.
var oneEach = strings.NewReplacer(separator, "_")

// nearest compares the name with what as makes of each candidate.
func nearest(name string, candidates []string, as func(string) string) string {
	best, limit := "", max(3, len(name)/5)+1
	for _, c := range candidates {
		if d := distance(name, as(c), limit); d < limit {
			best, limit = c, d
		}
	}
	return best
}

// distance counts the bytes to insert, delete, change or swap with their neighbour that turn a into b; limit when it is not less.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differ(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit)
}

func differ(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
