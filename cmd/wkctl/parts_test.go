package main

import (
	"cmp"
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

func TestAKeeperKeepsTheFirstOfAnyStream(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.IntRange(1, 20).Draw(t, "most")
		n := rapid.IntRange(0, 500).Draw(t, "n")
		k := newKeeper(most, cmp.Compare[int])
		for _, v := range rapid.Permutation(upTo(n)).Draw(t, "stream") {
			k.offer(v)
			if len(k.kept) > 2*most+64 {
				t.Fatalf("%d of %d are held", len(k.kept), most)
			}
		}
		got := k.sorted()
		if len(got) != min(most, n) || k.seen != n {
			t.Fatalf("kept %d, seen %d", len(got), k.seen)
		}
		for i, v := range got {
			if v != i {
				t.Fatalf("place %d holds %d", i, v)
			}
		}
	})
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func TestSpansAreShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 40 * time.Second: "40s", 90 * time.Minute: "1h30m", -5*time.Hour - 10*time.Minute - time.Second: "-5h10m",
		51*time.Hour + 20*time.Minute: "2d3h", 48 * time.Hour: "2d", time.Millisecond: "0s",
	} {
		if got := span(d); got != want {
			t.Errorf("%s: want %s, got %s", d, want, got)
		}
	}
}

func TestJSONFormsAreStable(t *testing.T) {
	t.Parallel()
	for want, v := range map[string]any{
		`{"amount":"12.50","currency":"USD"}`: money(usd(1250)),
		`null`:                                money{},
		`"2026-03-04T12:00:00Z"`:              instant{now.In(time.FixedZone("x", 3600))},
		`{"a":1}`:                             line(" {\"a\": 1} "),
		`"text"`:                              line("text"),
		`"a?"`:                                words("a\xff"),
	} {
		got, err := json.Marshal(v)
		if err != nil || string(got) != want {
			t.Errorf("%#v: want %s, got %s, %v", v, want, got, err)
		}
	}
}

func TestEveryReasonHasAMeaning(t *testing.T) {
	t.Parallel()
	for _, w := range sla.Whys() {
		if meanings[w] == "" {
			t.Errorf("%s has no meaning", w)
		}
	}
	if len(meanings) != len(sla.Whys()) {
		t.Errorf("%d meanings for %d reasons", len(meanings), len(sla.Whys()))
	}
}

func TestAHostTellsItsPlatform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		platform sla.Platform
		host     string
		home     bool
	}{
		{"track17", "api.17track.net", true}, {"easypost", "api.easypost.com", true}, {"aliexpress", "api-sg.aliexpress.com", true},
		{"track17", "track.dhl.com", false}, {"easypost", "easy.post.com", false}, {"aliexpress", "localhost", false},
	} {
		if got := atHome(c.platform, c.host); got != c.home {
			t.Errorf("%s at %s: %v", c.platform, c.host, got)
		}
	}
}

func TestAReplyThatTwoPlatformsReadIsLeftToThePerson(t *testing.T) {
	t.Parallel()
	two := toys()
	two[1].NormaliseReply = toyReply
	_, err := guess(two, "", []byte(`"parcel LX1"`))
	if err == nil || err.Error() != "bazaar and track99 can both read it; say --platform" {
		t.Errorf("got %v", err)
	}
	if r, err := guess(toys(), "http://127.0.0.1:80/x", []byte(`"parcel LX1"`)); err != nil || r.platform != "bazaar" {
		t.Errorf("got %s, %v", r.platform, err)
	}
	if _, err := read(connectors.Platform{Name: "mute"}, nil); err == nil {
		t.Error("a platform without a normaliser reads")
	}
}
