package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"watchkeeper/sla"
	"watchkeeper/workers/store/storetest"
)

func emptyRedis(t *testing.T) string {
	t.Helper()
	return storetest.StartEmbedded(t)
}

// loseEpoch takes the memory of having been there before from every shard, as a restore of nothing would, but leaves the records.
func loseEpoch(t *testing.T, addr string) {
	t.Helper()
	rdb := storetest.Hand(storetest.Connect(t, addr))
	keys, err := rdb.Keys(t.Context(), "wk:{*}:epoch").Result()
	must(t, err)
	if len(keys) == 0 {
		t.Fatal("no epochs to lose")
	}
	must(t, rdb.Del(t.Context(), keys...).Err())
}

// misuses are command lines that are wrong, with the exit code and what is told.
var misuses = map[string]struct {
	code int
	text string
}{
	"cases show AE01/404":                           {exitNotFound, "case AE01/404: not found"},
	"cases show 404":                                {exitNotFound, "case 404: not found"},
	"cases show NOWHERE/1001":                       {exitNotFound, "case NOWHERE/1001: not found"},
	"explain AE01/404":                              {exitNotFound, "not found"},
	"cases show ae01/1":                             {exitUsage, "want STORE/ID"},
	"cases show AE01/1/2":                           {exitUsage, "want STORE/ID"},
	"cases show":                                    {exitUsage, "accepts 1 arg"},
	"cases show AE01/1001 --audit 0":                {exitUsage, "--audit 0"},
	"cases ls --limit 0":                            {exitUsage, "--limit 0"},
	"cases ls --limit x":                            {exitUsage, "invalid argument"},
	"cases ls --limit 100001":                       {exitUsage, "want 1 to 100000"},
	"cases ls --state ajar":                         {exitUsage, `--state "ajar"`},
	"cases ls --due-within soon":                    {exitUsage, "want a duration like 24h or 2d"},
	"cases ls --due-within -1h":                     {exitUsage, "negative"},
	"cases ls --store ae01":                         {exitUsage, "--store"},
	"cases ls --store AE77":                         {exitNotFound, "store AE77: not found"},
	"cases ls extra":                                {exitUsage, "unknown command"},
	"cases sl":                                      {exitUsage, "unknown command"},
	"explain AE01/1001 --at noon":                   {exitUsage, "want a time like"},
	"shipments ls --anomaly broken":                 {exitUsage, "customs_held"},
	"shipments ls --milestone there":                {exitUsage, "in_transit"},
	"config print --store AE77":                     {exitNotFound, "store AE77: not found"},
	"config print --reason mood":                    {exitUsage, "not_received"},
	"cases ls -o yaml":                              {exitUsage, "want table or json"},
	"cases ls -o env":                               {exitUsage, "want table or json"},
	"config print -o yaml":                          {exitUsage, "want table, json or env"},
	"config print -o env --store AE01":              {exitUsage, "prints the whole rulebook"},
	"config print --platform bazar":                 {exitUsage, "want one of bazaar, track99"},
	"config print --at noon":                        {exitUsage, "want a time like"},
	"config print ACT_BEFOR":                        {exitUsage, "did you mean ACT_BEFORE?"},
	"config diff":                                   {exitUsage, "accepts 1 arg"},
	"config diff /nowhere/new.env":                  {exitUsage, "new.env"},
	"config docs -w /nowhere/x/y":                   {exitFailed, "/nowhere/x"},
	"cases approve AE01/1001":                       {exitUsage, "--note is missing"},
	"cases approve --note x":                        {exitUsage, "accepts 1 arg"},
	"cases hold AE01/404 --note x":                  {exitNotFound, "case AE01/404: not found"},
	"cases reject AE01/1001 --note x --turn soon":   {exitUsage, "want a turn as wkctl explain prints it"},
	"cases approve AE01/1001 --note x --turn 8":     {exitRefused, "the turn is another than the one that you saw; nothing was written"},
	"cases approve AE01/1004 --note x":              {exitRefused, "case AE01/1004 is closed"},
	"cases approve AE01/1005 --note x":              {exitRefused, "owes nothing now (wait_buyer)"},
	"cases approve AE01/1002 --note x":              {exitRefused, "turn 0000000000000007 is answered already"},
	"kill-switch on --note x":                       {exitUsage, "--scope is missing"},
	"kill-switch on --scope all":                    {exitUsage, "--note is missing"},
	"kill-switch on --scope AE0l --note x":          {exitUsage, "did you mean AE01?"},
	"kill-switch on --scope bazar/damaged --note x": {exitUsage, "did you mean bazaar/damaged?"},
	"kill-switch off --scope AE01/damagd --note x":  {exitUsage, "did you mean damaged?"},
	"kill-switch on --scope AE01/unknown --note x":  {exitUsage, "no reason is called so"},
	"cases ls --nope":                               {exitUsage, "unknown flag"},
	"dance":                                         {exitUsage, "unknown command"},
}

func TestMisuseIsTold(t *testing.T) {
	t.Parallel()
	addr := filled(t)
	for args, want := range misuses {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			invoke(t, toys(), env(addr), strings.Fields(args)...).want(t, want.code, want.text)
		})
	}
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	t.Parallel()
	for _, path := range commands(t) {
		got := invoke(t, nil, nil, append(strings.Fields(path), "--help")...)
		got.want(t, exitOK, "Examples:", "wkctl "+path)
	}
	invoke(t, nil, nil, "--help").want(t, exitOK, "Examples:", "wkctl cases approve")
	invoke(t, nil, nil, "cases").want(t, exitOK, "Available Commands")
}

// commands lists every command that does something, by its words; what cobra brings along is left out.
func commands(t *testing.T) []string {
	t.Helper()
	tool := &tool{registry: toys()}
	var out []string
	for _, cmd := range tree(tool.root()) {
		if !cmd.HasSubCommands() {
			out = append(out, strings.TrimPrefix(cmd.CommandPath(), "wkctl "))
		}
	}
	if len(out) < 17 {
		t.Fatalf("only %v", out)
	}
	return out
}

func TestARedisThatIsAwayIsNamedWithItsVariable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	must(t, l.Close())
	for _, args := range []string{"cases ls", "cases show AE01/1", "explain AE01/1", "shipments ls", "cases approve AE01/1 --note x", "kill-switch ls",
		"kill-switch on --scope all --note x"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			invoke(t, toys(), env(addr), strings.Fields(args)...).want(t, exitFailed, "WK_REDIS__ADDRS", addr)
		})
	}
}

func TestAWrongConfigurationIsAUsageError(t *testing.T) {
	t.Parallel()
	wrong := []string{"WK_SLA__GUARDD=2h"}
	for _, args := range []string{"cases ls", "explain AE01/1", "config print", "config check", "replay testdata", "config diff testdata/x.env", "cases hold AE01/1 --note x"} {
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

func TestARedisThatLetsNobodyInIsToldApartFromOneThatIsAway(t *testing.T) {
	t.Parallel()
	tool := &tool{started: true}
	wrong := fmt.Errorf("open store: %w: WRONGPASS invalid username-password pair", sla.ErrStoreOut)
	if got := tool.advise(wrong); !strings.Contains(got, "WK_REDIS__PASSWORD_FILE") || strings.Contains(got, "does not answer") {
		t.Errorf("wrong password: got %q", got)
	}
	if got := tool.advise(fmt.Errorf("open store: %w: refused", sla.ErrStoreOut)); !strings.Contains(got, "WK_REDIS__ADDRS") {
		t.Errorf("nobody there: got %q", got)
	}
}
