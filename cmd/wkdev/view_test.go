package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestWhatHappenedInAStepIsShownInOrderAndOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	v := newView(&out, true)
	at := time.Date(2026, time.March, 1, 0, 15, 0, 0, time.UTC)
	v.say(at, "an answer")
	v.say(at, "its outcome")
	v.say(at.Add(-time.Hour), "a dispute is opened")
	if out.Len() > 0 {
		t.Errorf("want nothing shown before the end of the step, got %q", &out)
	}
	v.end()
	v.end()
	want := "28 Feb 23:15  a dispute is opened\n01 Mar 00:15  an answer\n01 Mar 00:15  its outcome\n"
	if got := out.String(); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, strings.TrimSpace(got))
	}
}
