package fleet

import (
	"fmt"
	"time"
)

// ruling names the rules in force: the rulebook, and the date from which they hold.
func (f *Fleet) ruling(now time.Time) string {
	since := int64(0)
	for _, era := range f.o.Book.Eras() {
		if !era.After(now) {
			since = era.Unix()
		}
	}
	return fmt.Sprintf("%s@%d", f.o.Book.Hash(), since)
}
