package notify_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/sla"
	"watchkeeper/workers/notify"
)

func TestBodyIsWhatReceiversAreTold(t *testing.T) {
	t.Parallel()
	bare := page("78")
	bare.Deadline, bare.Cost, bare.Why = time.Time{}, sla.Money{}, sla.WhyNoDeadline
	short := notify.Message{Channel: sla.ChannelPage, Case: sla.DisputeID{Platform: "ebay"}, Why: sla.WhyTimeShort, Lack: &notify.Lack{
		Due: 340, First: 120, By: start.Add(2*time.Hour + 5*time.Minute + 59*time.Second), Goes: 8.66, Wants: 57.02,
	}}
	tests := map[string]struct {
		m    notify.Message
		want map[string]any
	}{
		"page about a platform": {short, map[string]any{
			"kind": "page", "case": "", "platform": "ebay", "store": "", "reason": "unknown", "why": "time_short", "stage": "none",
			"answers_due": 340.0, "answers_an_hour": 8.66, "answers_an_hour_wanted": 57.02,
			"text": "A person must act: ebay is short of time: 340 answers are due, 120 of them within 2h05m, and 8.6 an hour go out where 58 are wanted (time short)",
		}},
		"page about a clock": {notify.Message{Channel: sla.ChannelPage, Why: sla.WhyClockWrong, Clock: "1m3s ahead of"}, map[string]any{
			"kind": "page", "case": "", "platform": "", "store": "", "reason": "unknown", "why": "clock_wrong", "stage": "none",
			"text": "A person must act: the clock of a process is 1m3s ahead of that of redis, and it takes no work until that is mended (clock wrong)",
		}},
		"warning": {warning("77"), map[string]any{
			"kind": "warning", "case": "AE01/77", "platform": "aliexpress", "store": "AE01", "reason": "not_received", "why": "warn_point",
			"stage": "warn", "deadline": "2026-03-02T15:30:00Z", "seconds_left": 19800.0, "cost_of_silence": "12.00 USD",
			"text": "Warning: AE01/77 on aliexpress (not received) has 5h30m left, until 2026-03-02 15:30 UTC, and silence costs 12.00 USD (warn point)",
		}},
		"page without deadline and amount": {bare, map[string]any{
			"kind": "page", "case": "AE01/78", "platform": "aliexpress", "store": "AE01", "reason": "not_received", "why": "no_deadline",
			"stage": "warn", "text": "A person must act: AE01/78 on aliexpress (not received) has no known deadline (no deadline)",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHook(t, nil)
			w := newWorld(t, h.URL, "", nil)
			w.Post(t.Context(), tt.m)
			w.flush(t)
			if diff := cmp.Diff([]map[string]any{tt.want}, h.got()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if got := h.header.Get("Authorization"); got != "Bearer "+secretToken {
				t.Errorf("authorization: %q", got)
			}
			if got := h.header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type: %q", got)
			}
		})
	}
}

func TestTextNeverPromisesMoreTimeThanThereIs(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		left time.Duration
		want string
	}{
		"days":           {50*time.Hour + 59*time.Minute, "has 2d02h left, until"},
		"hours":          {25*time.Hour + 59*time.Second, "has 25h00m left"},
		"minutes":        {59*time.Minute + 59*time.Second, "has 59m left"},
		"seconds":        {59 * time.Second, "has less than a minute left"},
		"at deadline":    {0, "is less than a minute past its deadline of 2026-03-02 10:00 UTC"},
		"after deadline": {-90 * time.Minute, "is 1h30m past its deadline of 2026-03-02 08:30 UTC"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHook(t, nil)
			w := newWorld(t, h.URL, "", nil)
			m := warning("77")
			m.Deadline = start.Add(tt.left).In(time.FixedZone("elsewhere", 3600))
			w.Post(t.Context(), m)
			w.flush(t)
			if text := member[string](t, h.got()[0], "text"); !strings.Contains(text, tt.want) {
				t.Errorf("want %q in %q", tt.want, text)
			}
		})
	}
}

func TestAnIDCannotCallEverybodyOrPlaceALink(t *testing.T) {
	t.Parallel()
	for _, native := range []string{"<!channel>", "@all", "*x*`y`", "<http:x|y>", "[a](b)", "&lt;"} {
		h := newHook(t, nil)
		w := newWorld(t, h.URL, "", nil)
		w.Post(t.Context(), warning(native))
		w.flush(t)
		body := h.got()[0]
		text, _, _ := strings.Cut(member[string](t, body, "text"), " on aliexpress")
		if strings.ContainsAny(text, "<>@*`|[]()&_~#") {
			t.Errorf("%q has markup", text)
		}
		if body["case"] != "AE01/"+native {
			t.Errorf("case: want the id as it is, got %q", body["case"])
		}
	}
}

// TestEveryMemberIsDescribed holds the page for operators to what is posted.
func TestEveryMemberIsDescribed(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../deploy/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	h := newHook(t, nil)
	w := newWorld(t, h.URL, "", nil)
	w.Post(t.Context(), warning("77"))
	w.Post(t.Context(), notify.Message{Channel: sla.ChannelPage, Case: sla.DisputeID{Platform: "ebay"}, Why: sla.WhyTimeShort, Lack: &notify.Lack{Due: 1, Goes: 1, Wants: 2}})
	w.flush(t)
	if err := w.Try(t.Context(), sla.ChannelPage); err != nil {
		t.Fatal(err)
	}
	if n := len(h.got()); n != 3 {
		t.Fatalf("%d messages: want 3", n)
	}
	for _, body := range h.got() {
		for member := range body {
			if !strings.Contains(string(page), "| `"+member+"` |") {
				t.Errorf("deploy/OPERATIONS.md does not describe %q", member)
			}
		}
	}
}
