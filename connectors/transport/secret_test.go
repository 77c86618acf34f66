package transport_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors/transport"
)

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSecretComesFromExactlyOnePlace(t *testing.T) {
	t.Parallel()
	file := secretFile(t, "s3cret-in-file\r\n")
	for name, c := range map[string]struct {
		env  map[string]string
		want string // the value, or what the error must name when it begins with "!"
	}{
		"variable":         {map[string]string{"WK_K": "s3cret"}, "s3cret"},
		"file":             {map[string]string{"WK_K_FILE": file}, "s3cret-in-file"},
		"both":             {map[string]string{"WK_K": "s3cret", "WK_K_FILE": file}, "!WK_K and WK_K_FILE"},
		"neither":          {nil, "!WK_K or WK_K_FILE"},
		"empty":            {map[string]string{"WK_K": ""}, "!WK_K: empty"},
		"blank":            {map[string]string{"WK_K": " \n"}, "!WK_K: empty"},
		"not UTF-8":        {map[string]string{"WK_K": "s3cret\xff"}, "!WK_K: not UTF-8"},
		"no such file":     {map[string]string{"WK_K_FILE": file + "x"}, "!WK_K_FILE: the file cannot be read: " + file + "x: no such file"},
		"a secret as path": {map[string]string{"WK_K_FILE": "s3cret/with+signs="}, "!WK_K_FILE: the file cannot be read: no such file"},
		"empty file name":  {map[string]string{"WK_K_FILE": ""}, "!WK_K_FILE: empty"},
		"empty file":       {map[string]string{"WK_K_FILE": secretFile(t, "\n")}, "!WK_K_FILE: empty"},
		"a folder":         {map[string]string{"WK_K_FILE": t.TempDir()}, "!WK_K_FILE: the file cannot be read"},
		"huge file":        {map[string]string{"WK_K_FILE": secretFile(t, strings.Repeat("s3cret", 20000))}, "!WK_K_FILE: too large"},
	} {
		s, err := transport.Secret(envconfig.PrefixLookuper("WK_", envconfig.MapLookuper(c.env)), "K")
		if want, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: want %q, got %v", name, want, err)
			}
			continue
		}
		if err != nil || s.Value() != c.want {
			t.Errorf("%s: want the secret, got an error or another: %v", name, err)
		}
	}
}

func TestSecretNeverPrintsItself(t *testing.T) {
	t.Parallel()
	s, err := transport.Secret(envconfig.MapLookuper(map[string]string{"K": "s3cret"}), "K")
	if err != nil {
		t.Fatal(err)
	}
	k := transport.Token{Access: "s3cret", Refresh: "s3cret"}
	for _, v := range []any{s, k, &k, struct{ S *transport.SecretValue }{s}, struct{ T transport.Token }{k}} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%#v", v), fmt.Sprintf("%s", v), string(text)} {
			if strings.Contains(got, "s3cret") {
				t.Errorf("%T prints the secret: %s", v, got)
			}
		}
	}
}

func TestChangedSecretFileIsReadAgain(t *testing.T) {
	t.Parallel()
	path := secretFile(t, "first")
	s, err := transport.Secret(envconfig.MapLookuper(map[string]string{"K_FILE": path}), "K")
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string, at time.Time) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	write("other", epoch) // of the same size: the time tells
	if got := s.Value(); got != "other" {
		t.Errorf("want the new secret, got %q", got)
	}
	write("", epoch.Add(time.Second))
	if got := s.Value(); got != "other" {
		t.Errorf("want the last good secret while the file is empty, got %q", got)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if got := s.Value(); got != "other" {
		t.Errorf("want the last good secret without a file, got %q", got)
	}
}
