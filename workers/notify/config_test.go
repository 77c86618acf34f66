package notify_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/connectors/transport"
	"watchkeeper/workers/notify"
)

const goodURL = "https://hooks.example.com" + secretPath

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "value")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func load(t *testing.T, env map[string]string) notify.Config {
	t.Helper()
	var c notify.Config
	err := envconfig.ProcessWith(t.Context(), &envconfig.Config{Target: &c, Lookuper: envconfig.PrefixLookuper("WK_NOTIFY__", envconfig.MapLookuper(env))})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGoodConfigurationsAreApplied(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env               map[string]string
		chat, page, token string
	}{
		"nothing":         {},
		"addresses":       {map[string]string{"WK_NOTIFY__CHAT_URL": goodURL, "WK_NOTIFY__PAGE_URL": goodURL + "/p"}, goodURL, goodURL + "/p", ""},
		"files":           {map[string]string{"WK_NOTIFY__CHAT_URL_FILE": file(t, goodURL), "WK_NOTIFY__TOKEN_FILE": file(t, secretToken)}, goodURL, "", secretToken},
		"trailing lines":  {map[string]string{"WK_NOTIFY__PAGE_URL_FILE": file(t, goodURL+"\r\n"), "WK_NOTIFY__TOKEN_FILE": file(t, secretToken+"\n\n")}, "", goodURL, secretToken},
		"loopback name":   {map[string]string{"WK_NOTIFY__CHAT_URL": "http://localhost:8065/hooks/x"}, "http://localhost:8065/hooks/x", "", ""},
		"loopback v4":     {map[string]string{"WK_NOTIFY__CHAT_URL": "http://127.0.0.2/hooks/x"}, "http://127.0.0.2/hooks/x", "", ""},
		"loopback v6":     {map[string]string{"WK_NOTIFY__CHAT_URL": "http://[::1]:80/hooks/x"}, "http://[::1]:80/hooks/x", "", ""},
		"query in a hook": {map[string]string{"WK_NOTIFY__CHAT_URL": goodURL + "?key=1"}, goodURL + "?key=1", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := load(t, tt.env)
			if errs := c.Validate(transport.SecretFile); len(errs) > 0 {
				t.Errorf("validate: %v", errs)
			}
			o, err := c.Apply(notify.Options{}, transport.SecretFile)
			if err != nil || o.ChatURL != tt.chat || o.PageURL != tt.page || o.Token != tt.token {
				t.Errorf("got %q, %q, %q, %v", o.ChatURL, o.PageURL, o.Token, err)
			}
		})
	}
}

func TestWrongConfigurationsAreNamedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	const https = "want https; http only to a loopback host, for example http://127.0.0.1:8065/hooks/name"
	const address = "want an address such as https://hooks.example.com/services/name"
	none := "/nowhere/notify/hook"
	tests := map[string]struct {
		env  map[string]string
		want []string
	}{
		"http":             {map[string]string{"CHAT_URL": "http://hooks.example.com" + secretPath}, []string{"CHAT_URL: " + https}},
		"http, like local": {map[string]string{"CHAT_URL": "http://localhost.SECRET.example"}, []string{"CHAT_URL: " + https}},
		"other scheme":     {map[string]string{"PAGE_URL": "ftp://SECRET/x"}, []string{"PAGE_URL: " + https}},
		"no scheme":        {map[string]string{"PAGE_URL": "hooks.example.com" + secretPath}, []string{"PAGE_URL: " + address}},
		"no host":          {map[string]string{"CHAT_URL": "https:///SECRET"}, []string{"CHAT_URL: " + address}},
		"no URL":           {map[string]string{"CHAT_URL": "https://%zz/SECRET"}, []string{"CHAT_URL: " + address}},
		"space at the end": {map[string]string{"CHAT_URL": goodURL + " "}, []string{"CHAT_URL: " + address}},
		"not UTF-8":        {map[string]string{"CHAT_URL": goodURL + "\xff"}, []string{"CHAT_URL: " + address}},
		"chat twice":       {map[string]string{"CHAT_URL": goodURL, "CHAT_URL_FILE": file(t, goodURL)}, []string{"CHAT_URL_FILE: set it or WK_NOTIFY__CHAT_URL, not both"}},
		"page twice":       {map[string]string{"PAGE_URL": goodURL, "PAGE_URL_FILE": none}, []string{"PAGE_URL_FILE: set it or WK_NOTIFY__PAGE_URL, not both"}},
		"no such file":     {map[string]string{"CHAT_URL_FILE": none}, []string{"CHAT_URL_FILE: the file cannot be read: " + none + ": no such file or directory"}},
		"address as file":  {map[string]string{"PAGE_URL_FILE": goodURL}, []string{"PAGE_URL_FILE: the file cannot be read: no such file or directory"}},
		"a directory":      {map[string]string{"CHAT_URL_FILE": "/tmp"}, []string{"CHAT_URL_FILE: the file cannot be read: is a directory"}},
		"empty file":       {map[string]string{"CHAT_URL_FILE": file(t, "")}, []string{"CHAT_URL_FILE: empty"}},
		"blank file":       {map[string]string{"CHAT_URL_FILE": file(t, " \t\r\n\n")}, []string{"CHAT_URL_FILE: empty"}},
		"huge file":        {map[string]string{"CHAT_URL_FILE": file(t, strings.Repeat("x", 1<<20))}, []string{"CHAT_URL_FILE: too large"}},
		"two lines":        {map[string]string{"CHAT_URL_FILE": file(t, goodURL+"\n"+goodURL)}, []string{"CHAT_URL_FILE: " + address}},
		"http in a file":   {map[string]string{"PAGE_URL_FILE": file(t, "http://SECRET.example/")}, []string{"PAGE_URL_FILE: " + https}},
		"token of two lines": {map[string]string{"CHAT_URL": goodURL, "TOKEN_FILE": file(t, secretToken+"\n"+secretToken)},
			[]string{"TOKEN_FILE: want one line of printable characters without spaces in the file it names"}},
		"token for nobody": {map[string]string{"TOKEN_FILE": file(t, secretToken)},
			[]string{"TOKEN_FILE: no hook wants it: set WK_NOTIFY__CHAT_URL_FILE or WK_NOTIFY__PAGE_URL_FILE as well"}},
		"empty token": {map[string]string{"CHAT_URL": goodURL, "TOKEN_FILE": file(t, "\n")}, []string{"TOKEN_FILE: empty"}},
		"all at once": {map[string]string{"CHAT_URL": "SECRET", "PAGE_URL_FILE": none, "TOKEN_FILE": none}, []string{
			"CHAT_URL: " + address, "PAGE_URL_FILE: the file cannot be read: " + none + ": no such file or directory",
			"TOKEN_FILE: the file cannot be read: " + none + ": no such file or directory"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{}
			for k, v := range tt.env {
				env["WK_NOTIFY__"+k] = v
			}
			c := load(t, env)
			var got, want []string
			for _, err := range c.Validate(transport.SecretFile) {
				got = append(got, err.Error())
			}
			for _, text := range tt.want {
				want = append(want, "WK_NOTIFY__"+text)
			}
			if !slices.Equal(got, want) {
				t.Errorf("want %q\ngot  %q", want, got)
			}
			_, err := c.Apply(notify.Options{}, transport.SecretFile)
			if text := errors.Join(err).Error(); strings.Contains(text, "SECRET") || strings.Contains(text, secretToken) {
				t.Errorf("a secret is in %q", text)
			}
		})
	}
}
