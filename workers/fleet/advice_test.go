package fleet_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/store"
)

func TestAnErrorOfRedisComesWithWhatToDo(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"NOPERM this user has no permissions to run the 'info' command":      "users.acl",
		"WRONGPASS invalid username-password pair or user is disabled.":      "WK_REDIS__PASSWORD_FILE",
		"NOAUTH Authentication required.":                                    "WK_REDIS__PASSWORD_FILE",
		"ERR This instance has cluster support disabled":                     "WK_REDIS__CLUSTER",
		"MOVED 8970 127.0.0.1:7001":                                          "WK_REDIS__CLUSTER=true",
		"ERR DB index is out of range":                                       "WK_REDIS__DB",
		"ERR unknown command 'FCALL', with args beginning with: 'something'": "",
	} {
		got := fleet.Advice(fmt.Errorf("open store: %w", errors.New(text)))
		if got == "" && want != "" || !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%s: want %q in what to do, got %q", text, want, got)
		}
	}
	unfit := fmt.Errorf("open store: %w: maxmemory-policy allkeys-lru", store.ErrUnfit)
	if got := fleet.Advice(unfit); !strings.Contains(got, "maxmemory-policy noeviction") {
		t.Errorf("%v: got %q", unfit, got)
	}
	for _, err := range []error{fmt.Errorf("open store: %w: x", sla.ErrStoreOut), &net.OpError{Op: "dial", Err: errors.New("refused")}} {
		if got := fleet.Advice(err); !strings.Contains(got, "WK_REDIS__ADDRS") || !strings.Contains(got, "WK_REDIS__TLS") {
			t.Errorf("%v: got %q", err, got)
		}
	}
}

func TestAPortThatIsTakenIsNotBlamedOnRedis(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	_, err = fleet.New(t.Context(), options(t, miniredis.RunT(t).Addr(), "WK_HTTP__LISTEN="+l.Addr().String()))
	if got := fleet.Advice(err); !strings.Contains(got, "another port") {
		t.Errorf("%v: got %q", err, got)
	}
}

func TestThatNobodyIsToldOfPagesIsAWarning(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]bool{
		"WK_LOG__LEVEL=info": true, "WK_NOTIFY__PAGE_URL=https://hooks.example.com/p": false, "WK_NOTIFY__CHAT_URL=https://hooks.example.com/c": false,
	} {
		o := options(t, "127.0.0.1:1", environ)
		warnings := fleet.Warnings(o.Config, o.Book)
		if got := slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "WK_NOTIFY__PAGE_URL") }); got != want {
			t.Errorf("%s: want warned %t, got %v", environ, want, warnings)
		}
	}
}
