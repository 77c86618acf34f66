package soak_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"watchkeeper/workers/embedded"
	"watchkeeper/workers/embedded/soak"
	"watchkeeper/workers/store/storetest"
)

// short is a soak of a minute; the long ones are run by `make soak`.
func short(t *testing.T) soak.Options {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills real processes for a minute")
	}
	if raced {
		t.Skip("the detector sees nothing of other processes")
	}
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(embedded.ErrNoRedis)
		}
		t.Skip(embedded.ErrNoRedis)
	}
	binary := filepath.Join(t.TempDir(), "watchkeeper")
	if out, err := exec.Command("go", "build", "-o", binary, "watchkeeper/cmd/watchkeeper").CombinedOutput(); err != nil {
		t.Fatalf("build the daemon: %v\n%s", err, out)
	}
	return soak.Options{Cases: 160, Stores: 4, Rate: 50, Seed: 3, Latency: 300 * time.Millisecond, Binary: binary, Now: time.Now, Notes: t.Output()}
}

// Answers fall due for longer than a fresh fleet answers early, so that some are under way at each kill. One that was on its way to the platform and
// never arrived may only be sent again when a settle window is over, which is longer than this test: its case may still be open.
func TestTheWorkOfAKilledDaemonIsTakenUpWithinSeconds(t *testing.T) {
	t.Parallel()
	o := short(t)
	o.For, o.Every, o.Reading, o.Drain = 40*time.Second, 4*time.Second, 6*time.Second, 20*time.Second
	r, err := soak.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Kills < 2 || r.Twice != 0 || r.Answered+r.Held < r.Cases {
		t.Errorf("%d kills, %d effects too many, %d of %d answered", r.Kills, r.Twice, r.Answered, r.Cases)
	}
	if r.Held == 0 {
		t.Error("the killed daemons held nothing: the test shows nothing")
	}
	const much = 20 // seconds; who does not know that another is gone waits for its lease, of 60 s. wkdev soak measures the figure
	if r.LagP50 >= much {
		t.Errorf("half were taken up after %.1f s: want less than %d", r.LagP50, much)
	}
}

// The takeover is what the watch over the other processes is for (workers/sweep): without it a feed that was being read would lie for two minutes, and
// a case for one.
func TestTwoDaemonsOneKilled(t *testing.T) {
	t.Parallel()
	const polledWithin, claimedWithin = 15 * time.Second, 5 * time.Second
	const least = 4 // of each that the killed one must hold
	var r soak.Takeover
	// A machine that has much else to do may take seconds for what takes none: it has a second chance, and a fleet that is slow misses that, too.
	for range 2 {
		r = taken(t, least)
		if r.Feeds.Longest <= polledWithin && r.Cases.Longest <= claimedWithin {
			break
		}
	}
	if r.Feeds.Held < least || r.Feeds.Longest > polledWithin {
		t.Errorf("%+v: want at least %d feeds, each read again within %s", r.Feeds, least, polledWithin)
	}
	if r.Cases.Held < least || r.Cases.Longest > claimedWithin {
		t.Errorf("%+v: want at least %d cases, each claimed within %s", r.Cases, least, claimedWithin)
	}
}

// taken kills one of two daemons that holds at least so many lists and disputes. Nothing is answered twice, however long it takes.
func taken(t *testing.T, least int) soak.Takeover {
	t.Helper()
	o := short(t)
	o.Cases, o.Stores, o.Poll, o.Redis = 480, 16, 5*time.Second, storetest.Start(t)
	o.For, o.Every, o.Reading, o.Drain = time.Minute, time.Second, 8*time.Second, 40*time.Second
	r, err := soak.Take(t.Context(), o, least)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d feeds were read again after %s, the last after %s; %d cases were claimed after %s, the last after %s",
		r.Feeds.Held, r.Feeds.Median, r.Feeds.Longest, r.Cases.Held, r.Cases.Median, r.Cases.Longest)
	if r.Twice != 0 {
		t.Errorf("%d effects too many", r.Twice)
	}
	return r
}

// Nobody deals out the work, and nobody has more of it than is his.
func TestDaemonsShareTheWorkEvenlyAndTakeOverThatOfOneThatIsKilled(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 4} {
		t.Run(fmt.Sprint(n, " daemons"), func(t *testing.T) {
			t.Parallel()
			o := short(t)
			o.Daemons, o.Jobs, o.Cases, o.Stores, o.Redis = n, 12/n, 256, 64, storetest.Start(t)
			o.Latency, o.Poll, o.Apart = 100*time.Millisecond, 5*time.Second, 100*time.Millisecond
			o.For, o.Every, o.Reading, o.Drain = 44*time.Second, time.Second, 8*time.Second, 40*time.Second
			r, err := soak.Divide(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", r)
			fair(t, "lists before the kill", r.Before.Feeds)
			fair(t, "answers before the kill", r.Before.Cases)
			if n > 1 {
				fair(t, "lists after the kill", r.After.Feeds[1:])
				fair(t, "answers after the kill", r.After.Cases[1:])
			}
			if r.Left != 0 || r.Unread != 0 || r.Twice != 0 {
				t.Errorf("%d cases without an answer, %d lists unread since the kill, %d effects too many", r.Left, r.Unread, r.Twice)
			}
		})
	}
}

// fair wants each to have at least half and at most twice what an even share is.
func fair(t *testing.T, what string, shares []int) {
	t.Helper()
	total := 0
	for _, n := range shares {
		total += n
	}
	even := float64(total) / float64(len(shares))
	for _, n := range shares {
		if n == 0 || float64(n) < even/2 || float64(n) > 2*even {
			t.Errorf("%s: want each within half and twice of %.0f, got %v", what, even, shares)
			return
		}
	}
}

func TestAfterRedisWasEmptiedNothingIsSentWhileItIsFrozen(t *testing.T) {
	t.Parallel()
	o := short(t)
	o.Rate, o.Latency = 20, 10*time.Millisecond
	o.For, o.Every, o.Reading, o.Drain = 16*time.Second, time.Second, 8*time.Second, time.Second
	r, err := soak.Rebuild(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", r)
	if r.Twice != 0 || r.Answering != 0 || r.Answered == 0 || r.Open == 0 {
		t.Errorf("%d answered before the loss, %d open, %d effects too many, an answer %.0f s after the loss", r.Answered, r.Open, r.Twice, r.Answering)
	}
}
