package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

// The forms of output.
const (
	formatTable = "table"
	formatJSON  = "json"
	formatEnv   = "env" // of config print
)

// show prints a value as JSON, or lets the table be printed.
func (t *tool) show(value any, table func(w io.Writer)) error {
	if t.format != formatJSON {
		table(t.out)
		return nil
	}
	e := json.NewEncoder(t.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// A table aligns its columns. Its cells may hold foreign text.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, head ...string) *table {
	t := &table{w: tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)}
	if len(head) > 0 {
		t.row(head...)
	}
	return t
}

func (t *table) row(cells ...string) {
	for i, c := range cells {
		if c = clean(c); c == "" {
			c = "-"
		}
		cells[i] = c
	}
	fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

func (t *table) end() { _ = t.w.Flush() } // whoever closed our output wants no more of it

// An instant is a time in JSON: RFC 3339 in UTC, null when there is none.
type instant struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (i instant) MarshalJSON() ([]byte, error) {
	if i.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(i.UTC().Format(time.RFC3339Nano))
}

func (i instant) String() string {
	if i.IsZero() {
		return "-"
	}
	return i.UTC().Format(time.RFC3339)
}

// money is an amount in JSON: {"amount":"12.50","currency":"USD"}, null when there is none.
type money sla.Money

// MarshalJSON implements json.Marshaler.
func (m money) MarshalJSON() ([]byte, error) {
	if sla.Money(m).IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}{sla.Money(m).Major(), string(m.Currency)})
}

func (m money) String() string { return sla.Money(m).String() }

// words is a text that may be absent: null in JSON.
type words string

// MarshalJSON implements json.Marshaler.
func (w words) MarshalJSON() ([]byte, error) {
	if w == "" {
		return []byte("null"), nil
	}
	return json.Marshal(strings.ToValidUTF8(string(w), "?"))
}

// line is a kept line that should be a JSON object, and is printed as a text when it is none.
type line []byte

// MarshalJSON implements json.Marshaler.
func (l line) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	if json.Compact(&b, l) == nil {
		return b.Bytes(), nil
	}
	return words(l).MarshalJSON()
}

// span is a duration for people, no finer than they care for: "2d3h", "-5h10m", "40s".
func span(d time.Duration) string {
	if d < 0 {
		return "-" + span(-d)
	}
	grain := time.Second
	switch {
	case d >= 24*time.Hour:
		grain = time.Hour
	case d >= time.Hour:
		grain = time.Minute
	case d < time.Second:
		return "0s"
	}
	return rules.FormatDuration(d.Truncate(grain))
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// parseTime reads the instant that an operator gave as --at: RFC 3339, or a day, which begins at midnight UTC.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, usagef("--at %q: want a time like 2026-03-01T12:00:00Z, or a day like 2026-03-01", clean(text))
}
