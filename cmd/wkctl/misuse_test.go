package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

func emptyRedis(t *testing.T) string {
	t.Helper()
	return miniredis.RunT(t).Addr()
}

// loseEpoch takes the memory of having been there before from every shard, as a restore of nothing would, but leaves the records.
func loseEpoch(t *testing.T, addr string) {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	defer rdb.Close()
	keys, err := rdb.Keys(t.Context(), "wk:{*}:epoch").Result()
	must(t, err)
	if len(keys) == 0 {
		t.Fatal("no epochs to lose")
	}
	must(t, rdb.Del(t.Context(), keys...).Err())
}

func TestMisuseIsTold(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"cases show AE01/404":            {exitNotFound, "case AE01/404: not found"},
		"cases show 404":                 {exitNotFound, "case 404: not found"},
		"cases show NOWHERE/1001":        {exitNotFound, "case NOWHERE/1001: not found"},
		"explain AE01/404":               {exitNotFound, "not found"},
		"cases show ae01/1":              {exitUsage, "want STORE/ID"},
		"cases show AE01/1/2":            {exitUsage, "want STORE/ID"},
		"cases show":                     {exitUsage, "accepts 1 arg"},
		"cases show AE01/1001 --audit 0": {exitUsage, "--audit 0"},
		"cases ls --limit 0":             {exitUsage, "--limit 0"},
		"cases ls --limit x":             {exitUsage, "invalid argument"},
		"cases ls --limit 100001":        {exitUsage, "want 1 to 100000"},
		"cases ls --state ajar":          {exitUsage, `--state "ajar"`},
		"cases ls --due-within soon":     {exitUsage, "want a duration like 24h or 2d"},
		"cases ls --due-within -1h":      {exitUsage, "negative"},
		"cases ls --store ae01":          {exitUsage, "--store"},
		"cases ls --store AE77":          {exitNotFound, "store AE77: not found"},
		"cases ls extra":                 {exitUsage, "unknown command"},
		"cases sl":                       {exitUsage, "unknown command"},
		"explain AE01/1001 --at noon":    {exitUsage, "want a time like"},
		"shipments ls --anomaly broken":  {exitUsage, "customs_held"},
		"shipments ls --milestone there": {exitUsage, "in_transit"},
		"config print --store AE77":      {exitNotFound, "store AE77: not found"},
		"config print --reason mood":     {exitUsage, "not_received"},
		"cases ls -o yaml":               {exitUsage, "want table or json"},
		"cases ls --nope":                {exitUsage, "unknown flag"},
		"dance":                          {exitUsage, "unknown command"},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			invoke(t, toys(), env(addr), strings.Fields(args)...).want(t, want.code, want.text)
		})
	}
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	t.Parallel()
	for _, args := range []string{
		"", "cases ls", "cases show", "explain", "shipments ls", "platforms", "config check", "config print", "config docs", "replay",
	} {
		got := invoke(t, nil, nil, append(strings.Fields(args), "--help")...)
		got.want(t, exitOK, "Examples:", "wkctl "+args)
	}
	invoke(t, nil, nil, "cases").want(t, exitOK, "Available Commands")
}

func TestARedisThatIsAwayIsNamedWithItsVariable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	for _, args := range []string{"cases ls", "cases show AE01/1", "explain AE01/1", "shipments ls"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			invoke(t, toys(), env(addr), strings.Fields(args)...).want(t, exitFailed, "WK_REDIS__ADDRS", addr)
		})
	}
}

func TestAWrongConfigurationIsAUsageError(t *testing.T) {
	t.Parallel()
	wrong := []string{"WK_SLA__GUARDD=2h"}
	for _, args := range []string{"cases ls", "explain AE01/1", "config print", "config check", "replay testdata"} {
		invoke(t, nil, wrong, strings.Fields(args)...).want(t, exitUsage, "WK_SLA__GUARD")
	}
	for _, args := range []string{"platforms", "config docs"} {
		invoke(t, nil, wrong, strings.Fields(args)...).want(t, exitOK)
	}
}

func TestRunIsTheProgram(t *testing.T) {
	t.Parallel()
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"platforms"}, nil, strings.NewReader(""), &out, &errs); code != exitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for _, name := range []string{"aliexpress", "easypost", "track17"} {
		if !strings.Contains(out.String(), name) {
			t.Errorf("%s is missing in:\n%s", name, out.String())
		}
	}
}
