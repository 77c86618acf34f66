package fleet_test

import (
	"context"
	"testing"
	"time"

	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store/storetest"
)

// By itself a cluster's client learns of a new master after a minute.
func TestAMasterThatIsGoneIsLookedForAtOnce(t *testing.T) {
	t.Parallel()
	addrs, fail := storetest.StartFailover(t)
	f, err := fleet.New(t.Context(), options(t, addrs))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
	look := func() error {
		_, err := f.Store().CheckEpoch(t.Context(), time.Now())
		return err
	}
	if err := look(); err != nil {
		t.Fatal(err)
	}
	fail()
	const soon = 15 * time.Second
	for began := time.Now(); ; <-time.After(100 * time.Millisecond) {
		err := look()
		if err == nil {
			t.Logf("every shard is there again %s after the replica took over", time.Since(began).Round(time.Millisecond))
			return
		}
		if time.Since(began) > soon {
			t.Fatalf("%s after the replica took over: %v", soon, err)
		}
	}
}
