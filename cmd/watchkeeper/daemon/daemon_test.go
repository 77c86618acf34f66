package daemon

import (
	"bytes"
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
