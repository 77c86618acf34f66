package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"watchkeeper/connectors/all"
	"watchkeeper/workers/fleet"
)

// kindsOfWrong has one line for each kind of mistake that only the connectors and the machinery know. DIR is a folder with the files of
// secretFiles; a store T17 without a key is there beside.
var kindsOfWrong = []struct{ kind, env, variable, says string }{
	{"secret inline and by file both", "WK_STORE__T17__API_KEY=quite-a-secret WK_STORE__T17__API_KEY_FILE=DIR/good", "WK_STORE__T17__API_KEY", "set one, not both"},
	{"secret neither inline nor by file", "WK_STORE__T17__VERSION=v2.4", "WK_STORE__T17__API_KEY", "required"},
	{"file that is not there", "WK_STORE__T17__API_KEY_FILE=DIR/nothing", "WK_STORE__T17__API_KEY_FILE", "the file cannot be read"},
	{"folder in place of a file", "WK_STORE__T17__API_KEY_FILE=DIR", "WK_STORE__T17__API_KEY_FILE", "the file cannot be read"},
	{"empty file", "WK_STORE__T17__API_KEY_FILE=DIR/empty", "WK_STORE__T17__API_KEY_FILE", "empty"},
	{"file with nothing but a newline", "WK_STORE__T17__API_KEY_FILE=DIR/newline", "WK_STORE__T17__API_KEY_FILE", "empty"},
	{"file that is not UTF-8", "WK_STORE__T17__API_KEY_FILE=DIR/binary", "WK_STORE__T17__API_KEY_FILE", "not UTF-8"},
	{"file that is too large", "WK_STORE__T17__API_KEY_FILE=DIR/large", "WK_STORE__T17__API_KEY_FILE", "too large"},
	{"secret that is empty", "WK_STORE__T17__API_KEY=", "WK_STORE__T17__API_KEY", "empty"},
	{"secret that is not UTF-8", "WK_STORE__T17__API_KEY=\xff", "WK_STORE__T17__API_KEY", "invalid UTF-8"},
	{"address that is none", "WK_STORE__T17__API_KEY=quite-a-secret WK_STORE__T17__BASE_URL=::", "WK_STORE__T17__BASE_URL", ""},
	{"version that is none", "WK_STORE__T17__API_KEY=quite-a-secret WK_STORE__T17__VERSION=v9", "WK_STORE__T17__VERSION", "want one of"},
	{"variable of another connector", "WK_STORE__T17__API_KEY=quite-a-secret WK_STORE__T17__APP_KEY=quite-a-secret", "WK_STORE__T17__APP_KEY", "no such variable"},
	{"password inline and by file both", "WK_STORE__T17__API_KEY=quite-a-secret WK_REDIS__PASSWORD=quite-a-secret WK_REDIS__PASSWORD_FILE=DIR/good", "WK_REDIS__PASSWORD_FILE", "not both"},
	{"number that is none", "WK_STORE__T17__API_KEY=quite-a-secret WK_REDIS__SHARDS=many", "WK_REDIS__SHARDS", "whole number"},
	{"number out of bounds", "WK_STORE__T17__API_KEY=quite-a-secret WK_WORKERS__CONCURRENCY=0", "WK_WORKERS__CONCURRENCY", "1 to 1000"},
	{"address without a port", "WK_STORE__T17__API_KEY=quite-a-secret WK_REDIS__ADDRS=redis", "WK_REDIS__ADDRS", "host:port"},
	{"misspelt machinery", "WK_STORE__T17__API_KEY=quite-a-secret WK_REDIS__SHARD=8", "WK_REDIS__SHARD", "did you mean WK_REDIS__SHARDS?"},
}

// secretFiles are what a secret's file may hold.
var secretFiles = map[string]string{
	"good": "quite-a-secret", "trailing": "quite-a-secret\n", "windows": "quite-a-secret\r\n", "empty": "", "newline": "\n", "binary": "quite\xff-a-secret",
	"large": strings.Repeat("x", 70<<10),
}

// inDir makes an environment of a line, with the files of secrets.
func inDir(t *testing.T, line string) []string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range secretFiles {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	out := []string{"WK_STORE__T17__PLATFORM=track17"}
	for entry := range strings.SplitSeq(line, " ") {
		out = append(out, strings.ReplaceAll(entry, "DIR", dir))
	}
	return out
}

type checked struct {
	OK       bool `json:"ok"`
	Problems []struct {
		Variable string `json:"variable"`
		Detail   string `json:"detail"`
	} `json:"problems"`
	Warnings []string `json:"warnings"`
}

func check(t *testing.T, env []string, code int) (checked, result) {
	t.Helper()
	got := invoke(t, nil, env, "config", "check", "-o", "json")
	got.want(t, code)
	var v checked
	must(t, json.Unmarshal([]byte(got.out), &v))
	return v, got
}

func TestEveryKindOfWrongStoreAndMachineryIsOneReportedMistake(t *testing.T) {
	t.Parallel()
	for _, test := range kindsOfWrong {
		t.Run(test.kind, func(t *testing.T) {
			t.Parallel()
			v, got := check(t, inDir(t, test.env), exitUsage)
			if len(v.Problems) != 1 || !strings.Contains(v.Problems[0].Variable+": "+v.Problems[0].Detail, test.variable) {
				t.Errorf("problems = %+v, want one about %s", v.Problems, test.variable)
			}
			text := invoke(t, nil, inDir(t, test.env), "config", "check")
			text.want(t, exitUsage, test.variable, test.says)
			if strings.Contains(text.out+text.err+got.out+got.err, "quite-a-secret") {
				t.Errorf("a secret is printed:\n%s", text.out)
			}
		})
	}
}

func TestSecretsInFilesMayEndInANewline(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"good", "trailing", "windows"} {
		if v, _ := check(t, inDir(t, "WK_NOTIFY__PAGE_URL=https://hooks.example.com/p WK_STORE__T17__API_KEY_FILE=DIR/"+file), exitOK); !v.OK || len(v.Warnings) != 0 {
			t.Errorf("%s: %+v", file, v)
		}
	}
}

func TestMistakesOfRulesAndOfConnectorsAreOneReport(t *testing.T) {
	t.Parallel()
	// The second mistake shows only once the first is mended, the third is between two good values, the fourth the connector's.
	wrong := []string{"WK_SLA__GUARD=soon", "WK_SLA__ALIEXPRESS__ACT_BEFORE=6d", "WK_SLA__ALIEXPRESS__REASON__DAMAGED__GUARD=80h",
		"WK_SLA__ALIEXPRESS__REASON__DAMAGED__ACT_BEFORE=70h", "WK_STORE__E1__PLATFORM=easypost", "WK_STORE__A1__PLATFORM=aliexpress", "WK_HTTP__LISTEN=9090"}
	invoke(t, nil, wrong, "config", "check").want(t, exitUsage, "WK_SLA__GUARD=", "WK_SLA__ALIEXPRESS__ACT_BEFORE=", "WK_SLA__ALIEXPRESS__REASON__DAMAGED__GUARD=",
		"WK_STORE__E1__API_KEY", "WK_STORE__A1__APP_SECRET", "WK_HTTP__LISTEN")
}

// A secret that is missing hides nothing else, and each of them is told with its path.
func TestMissingFilesAndEverythingElseAreToldTogether(t *testing.T) {
	t.Parallel()
	files := []string{"WK_VAULT__KEY_FILE=/nowhere/keys", "WK_NOTIFY__PAGE_URL_FILE=/nowhere/page", "WK_REDIS__PASSWORD_FILE=/nowhere/redis"}
	const gone = ": the file cannot be read: /nowhere/"
	says := []string{"WK_VAULT__KEY_FILE" + gone + "keys", "WK_NOTIFY__PAGE_URL_FILE" + gone + "page", "WK_REDIS__PASSWORD_FILE" + gone + "redis"}
	for more, last := range map[string]string{
		"": "no store is configured", "WK_STORE__T17__PLATFORM=track17 WK_STORE__T17__API_KEY_FILE=/nowhere/t17": "WK_STORE__T17__API_KEY_FILE" + gone + "t17",
	} {
		vars := append(slices.Clip(files), strings.Fields(more)...)
		got := invoke(t, nil, vars, "config", "check")
		got.want(t, exitUsage, append(slices.Clip(says), last, "4 problem(s)")...)
		if _, _, err := fleet.Check(t.Context(), vars, all.Platforms(), time.Now); err == nil || !strings.Contains(err.Error(), last) || strings.Count(err.Error(), gone) != strings.Count(got.out, gone) {
			t.Errorf("the daemon says\n%v\nand config check\n%s", err, got.out)
		}
	}
}

// That no store is left follows from the mistake, and is none of its own.
func TestAStoreOfNoPlatformIsOneMistake(t *testing.T) {
	t.Parallel()
	vars := []string{"WK_STORE__Z9__PLATFORM=alixpress"}
	if v, got := check(t, vars, exitUsage); len(v.Problems) != 1 || v.Problems[0].Variable != "WK_STORE__Z9__PLATFORM" {
		t.Errorf("want one mistake, got %s", got.out)
	}
	if _, _, err := fleet.Check(t.Context(), vars, all.Platforms(), time.Now); len(fleet.Mistakes(err)) != 1 {
		t.Errorf("want one mistake of the daemon, too, got %v", err)
	}
	if v, got := check(t, []string{"WK_SLA__GUARDD=2h"}, exitUsage); len(v.Problems) != 2 {
		t.Errorf("want the missing store told beside another mistake, got %s", got.out)
	}
}

func TestWhatIsHardlyMeantIsAWarningAndNoFailure(t *testing.T) {
	t.Parallel()
	silent := []string{"WK_NOTIFY__PAGE_URL=https://hooks.example.com/p", "WK_STORE__AE01__PLATFORM=bazaar", "WK_SLA__MODE=live", "WK_SLA__STORE__AE01__REASON__DAMAGED__ACCEPT_CAP=5USD"}
	const says = "store AE01 is live and for unknown, not_received, not_as_described, wrong_item, missing, counterfeit, changed_mind, other has no answer"
	got := invoke(t, buildable(), silent, "config", "check")
	got.want(t, exitOK, "all is well: 1 store(s)", "1 warning(s)", "warning: "+says)
	invoke(t, buildable(), append(slices.Clip(silent), "WK_STORE__T17__PLATFORM=track99", "WK_SLA__WARN=6h:chat"), "config", "check").want(t, exitOK, "all is well: 2 store(s)", "2 warning(s)",
		"store AE01 is live and is to warn by chat")
	var v checked
	must(t, json.Unmarshal([]byte(invoke(t, buildable(), silent, "config", "check", "-o", "json").out), &v))
	if !v.OK || len(v.Warnings) != 1 || !strings.HasPrefix(v.Warnings[0], says) {
		t.Errorf("got %+v", v)
	}
	invoke(t, buildable(), append(silent, "WK_REDIS__SHARDS=0"), "config", "check").want(t, exitUsage, "warning: "+says, "1 problem(s)")
}
