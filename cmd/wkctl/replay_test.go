package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestRecordedRepliesAreReadThroughTheRealNormalisers(t *testing.T) {
	t.Parallel()
	got := invoke(t, nil, nil, "replay", "testdata/replay")
	got.want(t, exitOK, "15 replies, 5 shipments, 1 disputes, 10 unreadable")
	for _, want := range [][]string{
		{"govcr.yaml#1", "easypost", "EZ2000000001", "in_transit", "stalled_in_origin since 2026-01-18T10:00:00Z (default)"},
		{"govcr.yaml#1", "EZ2000000002", "delivered"},
		{"govcr_v2.yml#1", "easypost", "EZ2000000004", "out_for_delivery"},
		{"vcrpy.yaml#1", "EZ2000000003", "return_to_sender/return", "returning", "2026-01-12T07:28:00Z", "returned_before_export"},
		{"track17.json", "track17", "RR123456789CN", "customs", "customs_stalled"},
		{"aliexpress_detail.json", "aliexpress", "912345678901234567", "wait_seller", "2026-01-10T11:12:44Z", "wait: early", "over_cap"},
		{"govcr.yaml#2", "easypost", "error reply: status 422"},
		{"govcr.yaml#3", "easypost", "empty body"},
		{"vcrpy.yaml#2", "easypost", "not JSON"},
		{"vcrpy.yaml#3", "no platform is known at api.aftership.com"},
		{"broken.json", "not JSON"},
		{"page.json", "not JSON"},
		{"empty.json", "empty file"},
		{"latin1.json", "no platform can read it"},
		{"broken.yaml", "not YAML"},
		{"other.yaml", "no list of interactions"},
	} {
		if !lineWith(got.out, want...) {
			t.Errorf("no line has all of %v in:\n%s", want, got.out)
		}
	}
	if strings.Contains(got.out, "ignored.txt") {
		t.Errorf("a file that is no recording was read:\n%s", got.out)
	}
}

// lineWith reports whether one line has all the words.
func lineWith(text string, words ...string) bool {
	for line := range strings.Lines(text) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

func TestEveryTrackerOfTheRecordedCassettesIsListed(t *testing.T) {
	t.Parallel()
	const dir = "../../../shared/samples/easypost"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the recorded cassettes of EasyPost are not here: nothing to replay")
	}
	got := invoke(t, nil, nil, "replay", dir, "-o", "json")
	got.want(t, exitOK)
	var v struct {
		Shipments []struct {
			Number    string `json:"number"`
			Milestone string `json:"milestone"`
			Status    string `json:"status"`
			Source    string `json:"source"`
		} `json:"shipments"`
		Unreadable []struct {
			Source string `json:"source"`
			Reason string `json:"reason"`
		} `json:"unreadable"`
	}
	must(t, json.Unmarshal([]byte(got.out), &v))
	listed := map[string]int{}
	for _, s := range v.Shipments {
		listed[s.Number]++
		if s.Status == "" || s.Milestone == "" {
			t.Errorf("%s of %s has no status or milestone", s.Number, s.Source)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	must(t, err)
	trackers := 0
	r := recorder{found: func(rec recording) { trackers += strings.Count(string(rec.body), `"tracking_code"`) }}
	for _, f := range files {
		must(t, r.path(f))
	}
	if len(v.Shipments) != trackers || trackers == 0 {
		t.Errorf("%d trackers are in the cassettes, %d are listed: %v", trackers, len(v.Shipments), listed)
	}
	for _, u := range v.Unreadable {
		if !strings.Contains(u.Reason, "error reply: status 4") {
			t.Errorf("%s is unreadable: %s", u.Source, u.Reason)
		}
	}
}

func TestReplayIsPrintedAsInTheGoldenFiles(t *testing.T) {
	t.Parallel()
	args := []string{"replay", "--platform", "bazaar", "--store", "AE01", "--at", "2026-03-04T12:00:00Z", "testdata/toys"}
	for name, more := range map[string]string{"replay.txt": "table", "replay_json.txt": "json"} {
		got := invoke(t, toys(), env("x:1"), append(slices.Clone(args), "-o", more)...)
		got.want(t, exitOK)
		golden(t, name, got.out)
	}
}

func TestReplayReadsStandardInput(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"track17.json": "RR123456789CN", "govcr.yaml": "-#1"} {
		body, err := os.ReadFile(filepath.Join("testdata", "replay", file))
		must(t, err)
		invokeWith(t, nil, string(body), nil, "replay", "-").want(t, exitOK, want)
	}
	invokeWith(t, nil, "", nil, "replay", "-").want(t, exitOK, "empty file", "1 unreadable")
}

func TestAStrictReplayFailsWhenAnythingIsUnreadable(t *testing.T) {
	t.Parallel()
	invoke(t, nil, nil, "replay", "--strict", "testdata/replay/govcr_v2.yml").want(t, exitOK)
	invoke(t, nil, nil, "replay", "--strict", "testdata/replay").want(t, exitFailed, "10 unreadable")
}

func TestReplayRefusesWhatItCannotMean(t *testing.T) {
	t.Parallel()
	for args, code := range map[string]int{
		"replay":                  exitUsage,
		"replay testdata/nowhere": exitNotFound,
		"replay --platform tiktok testdata/replay": exitUsage,
		"replay --at noon testdata/replay":         exitUsage,
		"replay --store NOPE testdata/replay":      exitNotFound,
	} {
		invoke(t, nil, nil, strings.Fields(args)...).want(t, code)
	}
}

func TestTheMomentOfAReplyIsToldWithItsOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ args, at, from string }{
		{"testdata/replay/vcrpy.yaml", "2026-01-12T07:28:00Z", fromDate},
		{"testdata/replay/govcr_v2.yml", "2026-01-10T08:01:00Z", fromReply},
		{"testdata/replay/track17.json", "2026-01-20T00:00:00Z", fromReply},
		{"testdata/replay/vcrpy.yaml --at 2026-02-01", "2026-02-01T00:00:00Z", fromFlag},
	} {
		got := invoke(t, nil, nil, strings.Fields("replay -o json "+c.args)...)
		var v struct {
			Shipments []struct {
				At     string `json:"at"`
				AtFrom string `json:"at_from"`
			} `json:"shipments"`
		}
		must(t, json.Unmarshal([]byte(got.out), &v))
		if len(v.Shipments) == 0 || v.Shipments[0].At != c.at || v.Shipments[0].AtFrom != c.from {
			t.Errorf("%s: want %s by %s, got %+v", c.args, c.at, c.from, v.Shipments)
		}
	}
}

func TestAReplyThatStatesNoInstantIsJudgedNow(t *testing.T) {
	t.Parallel()
	p := &player{now: now}
	if at, from := p.moment(recording{body: []byte(`{"updated_at":"yesterday","x":["updated_at"]}`)}, reading{}); !at.Equal(now) || from != fromClock {
		t.Errorf("judged at %s by %s", at, from)
	}
}
