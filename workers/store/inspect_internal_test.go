package store

import (
	"slices"
	"testing"
	"time"
)

func TestInfoIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	got := readServer(parseInfo("# Server\r\nredis_version:6.0.16\r\nrole:slave\r\nmaster_link_status:down\r\nloading:1\r\nrdb_last_bgsave_status:err\r\n" +
		"aof_last_bgrewrite_status:ok\r\naof_last_write_status:err\r\nslave0:ip=10.0.0.2,port=6379,state=wait_bgsave,offset=0,lag=12\r\n" +
		"slave1:ip=10.0.0.3,port=6380,state=online,offset=5,lag=0\r\ncluster_enabled:1\r\nmin_slaves_good_slaves:2\r\n"))
	if got.Version != 600 || got.Release != "6.0.16" || got.Role != "slave" || got.Link != "down" || !got.Loading || got.Cluster != ClusterUntold || !got.Guarded || got.Good != 2 {
		t.Errorf("got %+v", got)
	}
	if want := []string{"rdb_last_bgsave_status", "aof_last_write_status"}; !slices.Equal(got.Failed, want) {
		t.Errorf("want %v, got %v", want, got.Failed)
	}
	want := []Replica{{Addr: "10.0.0.2:6379", State: "wait_bgsave", Lag: 12 * time.Second}, {Addr: "10.0.0.3:6380", State: "online"}}
	if !slices.Equal(got.Replicas, want) {
		t.Errorf("want %v, got %v", want, got.Replicas)
	}
}

// The names of leaves are made by scripts/timer.lua; the suite compares them over many distances. Here are the ends of each width.
func TestALeafIsNamedByTheBeginningOfItsSpan(t *testing.T) {
	t.Parallel()
	for code := range uint64(exactCode + 1) {
		at := timer{ms: 0x0123456789ab, code: code}
		name := leafOf(string(append(append([]byte{schema}, at.append(nil)...), make([]byte, headerSize)...)))
		width := uint64(1)
		if code != exactCode {
			width = 1 << (minWidthBits + code)
		}
		begin := timer{ms: at.ms - at.ms%width, code: code}.append(nil)
		if name != string(begin[:len(name)]) || slices.ContainsFunc(begin[len(name):], func(b byte) bool { return b != 0 }) {
			t.Errorf("code %d: want a beginning of %x, got %x", code, begin, name)
		}
	}
	if leafOf("short") != "" || leafOf(string(make([]byte, headerSize))) != "" {
		t.Error("a record without a timer has a leaf")
	}
}
