package fleet

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFilesOfVariablesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"plain":              {"WK_A=1\nWK_B=2\n", []string{"WK_A=1", "WK_B=2"}},
		"no last line break": {"WK_A=1", []string{"WK_A=1"}},
		"of another system":  {"\xef\xbb\xbfWK_A=1\r\nWK_B=2\r\n", []string{"WK_A=1", "WK_B=2"}},
		"remarks":            {"# WK_A=1\n\n  # more\nWK_B=2", []string{"WK_B=2"}},
		"of a shell":         {"export WK_A=1\n export  WK_B=2", []string{"WK_A=1", "WK_B=2"}},
		"quoted":             {"WK_A=\"a b\"\nWK_B='#c'\nWK_C=\"\nWK_D=\"a'", []string{"WK_A=a b", "WK_B=#c", "WK_C=\"", "WK_D=\"a'"}},
		"quoted twice":       {`WK_A='"a"'`, []string{"WK_A=a"}},
		"signs in a value":   {"WK_A=a=b#c $HOME\\n", []string{`WK_A=a=b#c $HOME\n`}},
		"empty value":        {"WK_A=", []string{"WK_A="}},
		"nothing":            {"", nil},
	} {
		if got, err := parseEnvFile([]byte(c.file)); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: want %q, got %q, %v", name, c.want, got, err)
		}
	}
}

// What starts a container may hand on a line of a file with its quotes: the same file must mean the same wherever it is read.
func TestQuotesMeanTheSameInAFileAndInAnEnvironment(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`WK_SLA__GUARD="2h"`, `WK_SLA__GUARD='2h'`, `WK_SLA__GUARD='"2h"'`, `WK_SLA__GUARD="2h`, `WK_SLA__GUARD="2h'`, `WK_SLA__GUARD="`, `WK_WORKERS__SWEEP="50ms"`} {
		entries, err := parseEnvFile([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		config, fromFile, fileErr := Load(t.Context(), entries, nil)
		same, fromEnviron, err := Load(t.Context(), []string{line}, nil)
		if fmt.Sprint(fileErr) != fmt.Sprint(err) || fileErr == nil && (fromFile.Hash() != fromEnviron.Hash() || config.Workers != same.Workers) {
			t.Errorf("%s: a file gives %v, the environment %v", line, fileErr, err)
		}
		if good := strings.Count(line, `"`)%2 == 0 && !strings.HasSuffix(line, `="`); good != (err == nil) {
			t.Errorf("%s: got %v", line, err)
		}
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("s3cr3t-in-a-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Redactor([]string{`WK_REDIS__PASSWORD="quite-a-secret"`, `WK_VAULT__KEY_FILE="` + path + `"`})
	if got := r.String("quite-a-secret s3cr3t-in-a-file"); got != "[redacted] [redacted]" {
		t.Errorf("a quoted secret shows: %s", got)
	}
}

func TestWhatIsWrongWithAFileOfVariablesIsToldByLine(t *testing.T) {
	t.Parallel()
	const secret = "quite-a-secret"
	_, err := parseEnvFile([]byte("WK_A=1\n" + secret + "\nWK-B=" + secret + "\n=" + secret + "\n\nWK_A=" + secret + "\n"))
	if err == nil {
		t.Fatal("want an error")
	}
	for _, want := range []string{"line 2: want NAME=value", `line 3: "WK-B"`, "line 4:", "line 6: WK_A is set on line 1, too"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("a value is told: %v", err)
	}
	if _, err := ReadEnvFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("want a folder refused, got %v", err)
	}
}

// A value of several lines is no value of a file: its other lines look like names and values, and a key's last line ends in "=".
func TestLinesOfAPrivateKeyAreToldByTheirNumberAlone(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"MIIEvQIBADANBgkqhkiG9w0BAQEF/AASC+q==", "MIIEVQ+IBADANBGKQ=", "WKIEvQ/AASC+q==", "MIIEVQ/\nMIIEVQ/=", "export MIIEVQ/=", "MIIEVQIBADAN=1\nMIIEVQIBADAN=2",
	} {
		_, err := parseEnvFile([]byte("WK_STORE__AE01__APP_SECRET=\"-----BEGIN PRIVATE KEY-----\n" + line + "\n-----END PRIVATE KEY-----\"\n"))
		if err == nil || !strings.Contains(err.Error(), "line ") {
			t.Fatalf("want the lines told, got %v", err)
		}
		for _, part := range []string{"IEvQ", "IEVQ", "AASC"} {
			if strings.Contains(err.Error(), part) {
				t.Errorf("%q: a part of the key is told: %v", line, err)
			}
		}
	}
}

func FuzzFilesOfVariables(f *testing.F) {
	f.Add([]byte("WK_A=1\nexport WK_B='2'\r\n# c\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		const secret = "c4n4ry"
		_, err := parseEnvFile(bytes.ReplaceAll(raw, []byte("="), []byte("="+secret)))
		if err != nil && strings.Contains(err.Error(), secret) && !bytes.Contains(raw, []byte(secret)) {
			t.Errorf("a value is told: %v", err)
		}
		entries, err := parseEnvFile(raw)
		if err != nil {
			return
		}
		for _, e := range entries {
			if name, value, ok := strings.Cut(e, "="); !ok || !variableInFile.MatchString(name) || strings.Contains(value, "\n") {
				t.Errorf("%q is no entry of an environment", e)
			}
		}
	})
}

func TestTheRulesOfAFileTakeThePlaceOfAllPresentOnes(t *testing.T) {
	t.Parallel()
	got := WithRules(
		[]string{"HOME=/x", "WK_REDIS__ADDRS=a:1", "WK_SLA__MODE=live", "WK_SHIPMENT__STALL=1d", "WK_CALENDAR__CN__ZONE=Asia/Shanghai", "WK_STORE__AE01__POLL=5m"},
		[]string{"WK_SLA__GUARD=2h", "WK_STORE__AE01__POLL=6m"},
	)
	if want := "HOME=/x WK_REDIS__ADDRS=a:1 WK_SLA__GUARD=2h WK_STORE__AE01__POLL=6m"; strings.Join(got, " ") != want {
		t.Errorf("want %s, got %v", want, got)
	}
}
