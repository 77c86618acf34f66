package store

import (
	"testing"
	"time"
)

func TestOneWrongClockOfServersAccusesNobody(t *testing.T) {
	t.Parallel()
	const second = int64(1e6)
	ours := time.UnixMicro(100 * second)
	for name, c := range map[string]struct {
		told []int64
		want int64
	}{
		"one":                   {[]int64{70 * second}, 70 * second},
		"one of two is ahead":   {[]int64{160 * second, 101 * second}, 101 * second},
		"one of two is behind":  {[]int64{40 * second, 99 * second}, 99 * second},
		"one of three is ahead": {[]int64{160 * second, 101 * second, 102 * second}, 102 * second},
		"ours is wrong":         {[]int64{160 * second, 161 * second}, 160 * second},
	} {
		if got := agreed(c.told, ours); got.UnixMicro() != c.want {
			t.Errorf("%s: want %d, got %d", name, c.want, got.UnixMicro())
		}
	}
}
