package daemon

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// start runs the program and gives its exit code and what it said.
func start(t *testing.T, args, environ []string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), args, environ, &out, &errs)
	return code, out.String(), errs.String()
}

func TestAMisspeltVariableStopsTheStartAndIsCorrected(t *testing.T) {
	t.Parallel()
	code, _, said := start(t, nil, []string{"WK_SLA__ALIEXPRES__ACT_BEFORE=5h"})
	if code != exitUsage {
		t.Errorf("want exit code %d, got %d", exitUsage, code)
	}
	for _, want := range []string{"WK_SLA__ALIEXPRES__ACT_BEFORE", "WK_SLA__ALIEXPRESS__ACT_BEFORE"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, said)
		}
	}
}

func TestMistakesAreReportedTogetherAndSecretsNever(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2hunter2"
	code, _, said := start(t, nil, []string{
		"WK_SLA__GUARD=90", "WK_SLA__STORE__AE01__MODE=fast", "WK_WORKERS__CONCURRENCY=0", "WK_LOG__LEVEL=loud", "WK_STORE__AE01__PLATFORM=aliexpress",
		"WK_STORE__AE01__APP_SECRET=" + secret, "WK_REDIS__PASWORD=" + secret,
	})
	if code != exitUsage {
		t.Errorf("want exit code %d, got %d", exitUsage, code)
	}
	for _, want := range []string{"WK_SLA__GUARD", "WK_SLA__STORE__AE01__MODE", "WK_WORKERS__CONCURRENCY", "WK_LOG__LEVEL", "WK_REDIS__PASWORD"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, said)
		}
	}
	if strings.Contains(said, secret) {
		t.Errorf("a secret was printed:\n%s", said)
	}
}

// Whoever collects the log as JSON gets each mistake as a line of it; who reads it himself gets plain text.
func TestMistakesAreLinesOfTheLogLikeEverythingElse(t *testing.T) {
	t.Parallel()
	const secret = "hunter2hunter2hunter2"
	wrong := []string{
		"WK_SLA__GUARD=90", "WK_WORKERS__CONCURRENCY=0", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY_FILE=/nowhere/secrets/key",
		"WK_REDIS__PASSWORD=" + secret, "WK_REDIS__USERNAME=\xff" + secret,
	}
	want := []string{"WK_WORKERS__CONCURRENCY: want 1 to 1000", `WK_SLA__GUARD="90": the unit is missing`, "WK_REDIS__USERNAME", "WK_STORE__T17__API_KEY_FILE: the file cannot"}
	for format, lines := range map[string]bool{"": true, "json": true, "jsno": true, "console": false} {
		environ := slices.Clip(wrong)
		if format != "" {
			environ = append(environ, "WK_LOG__FORMAT="+format)
		}
		code, _, said := start(t, nil, environ)
		if code != exitUsage || strings.Contains(said, secret) {
			t.Errorf("%s: want exit code %d and no secret, got %d\n%s", format, exitUsage, code, said)
		}
		if !lines {
			if !strings.HasPrefix(said, "watchkeeper: the configuration is not usable:\n") || strings.Contains(said, "{") || !strings.Contains(said, want[0]) {
				t.Errorf("%s: want plain text, got\n%s", format, said)
			}
			continue
		}
		var mistakes []string
		for line := range strings.Lines(said) {
			var l struct {
				Level   string `json:"level"`
				Msg     string `json:"msg"`
				TS      string `json:"ts"`
				Mistake string `json:"mistake"`
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil || l.Level != "error" || l.Msg != "the configuration is not usable" || l.TS == "" {
				t.Errorf("%s: want a line of the log, got %q (%v)", format, line, err)
			}
			mistakes = append(mistakes, l.Mistake)
		}
		for _, w := range want {
			if !slices.ContainsFunc(mistakes, func(m string) bool { return strings.HasPrefix(strings.TrimPrefix(m, "store T17: "), w) }) {
				t.Errorf("%s: want a line that begins with %q, got %q", format, w, mistakes)
			}
		}
	}
}

func TestATerminalIsToldFromAFile(t *testing.T) {
	t.Parallel()
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = device.Close(), file.Close() })
	for out, want := range map[io.Writer]bool{device: true, file: false, &bytes.Buffer{}: false} {
		if got := isTerminal(out); got != want {
			t.Errorf("%T: want %t, got %t", out, want, got)
		}
	}
}

func TestARedisThatIsGoneIsAFailureAndNoUsageError(t *testing.T) {
	t.Parallel()
	code, _, said := start(t, nil, []string{
		"WK_REDIS__ADDRS=127.0.0.1:1", "WK_HTTP__LISTEN=127.0.0.1:0", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY=0123456789ABCDEF0123456789ABCDEF",
	})
	if code != exitFailed || !strings.Contains(said, "open store") {
		t.Errorf("exit code %d:\n%s", code, said)
	}
}

func TestTheFewArguments(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]int{"--version": exitOK, "--help": exitOK, "--verbose": exitUsage} {
		code, out, errs := start(t, []string{arg}, nil)
		if code != want || out+errs == "" {
			t.Errorf("%s: exit code %d, said %q %q", arg, code, out, errs)
		}
	}
}

func TestMistakesOfRulesAndConnectorsAreInOneReportAndNeitherIsAFailureOfRedis(t *testing.T) {
	t.Parallel()
	code, _, said := start(t, nil, []string{
		"WK_SLA__GUARD=90", "WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE01__APP_KEY=500123", "WK_STORE__AE01__APP_SECRET=tiny-key",
		"WK_STORE__AE01__REFRESH_TOKEN=a-refresh-token", "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY_FILE=/nowhere/secrets/key",
		"WK_HTTP__LISTEN=:99999",
	})
	if code != exitUsage {
		t.Errorf("want exit code %d, got %d", exitUsage, code)
	}
	for _, want := range []string{
		"WK_SLA__GUARD", "WK_STORE__AE01__APP_SECRET: shorter than 16 bytes", "WK_STORE__T17__API_KEY_FILE: the file cannot be read: /nowhere/secrets/key: no such file",
		"WK_HTTP__LISTEN",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in:\n%s", want, said)
		}
	}
}

func TestWhatIsLoggedPassesTheRedactor(t *testing.T) {
	t.Parallel()
	const secret = "nobody-must-read-this" // as the host of an address it comes back in the error of the dial
	code, _, said := start(t, nil, []string{
		"WK_REDIS__ADDRS=" + secret + ".invalid:1", "WK_REDIS__PASSWORD=" + secret, "WK_HTTP__LISTEN=127.0.0.1:0", "WK_STORE__T17__PLATFORM=track17",
		"WK_STORE__T17__API_KEY=0123456789ABCDEF0123456789ABCDEF",
	})
	if code != exitFailed || strings.Contains(said, secret) || !strings.Contains(said, "[redacted].invalid") {
		t.Errorf("want the failure logged without the secret, got %d:\n%s", code, said)
	}
}
