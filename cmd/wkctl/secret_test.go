package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// planted secrets, none a part of another.
const (
	plantedKey    = "K3y-planted-0001"
	plantedFile   = "F1le-planted-0002"
	plantedRedis  = "R3dis-planted-0003"
	plantedURL    = "Url-planted-0004"
	plantedTypo   = "Typ0-planted-0005"
	plantedAddr   = "Addr-planted-0006"
	plantedToken  = "T0ken-planted-0007"
	plantedRecord = "Rec0rd-planted-0008"
)

func planted() []string {
	return []string{plantedKey, plantedFile, plantedRedis, plantedURL, plantedTypo, plantedAddr, plantedToken, plantedRecord}
}

func secretly(t *testing.T, addr string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte(plantedFile), 0o600))
	return []string{
		"WK_REDIS__ADDRS=" + addr, "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY=" + plantedKey, "WK_STORE__EP__PLATFORM=easypost",
		"WK_STORE__EP__API_KEY_FILE=" + file, "WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE01__APP_KEY=500123",
		"WK_STORE__AE01__APP_SECRET=" + plantedToken, "WK_STORE__AE01__REFRESH_TOKEN=" + plantedToken, "WK_STORE__AE01__ACCESS_TOKEN=" + plantedToken,
		"WK_STORE__AE01__BUYER_HASH_KEY=" + plantedToken, "WK_STORE__EP__BASE_URL=https://u:" + plantedURL + "@host.invalid",
	}
}

func TestNoCommandPrintsASecret(t *testing.T) {
	t.Parallel()
	tape := filepath.Join(t.TempDir(), "tape.yaml")
	must(t, os.WriteFile(tape, []byte("interactions:\n- request: {url: 'https://api.easypost.com/v2/?key="+plantedRecord+"', headers: {Authorization: ["+plantedRecord+"]}}\n"+
		"  response: {body: '{\"error\":{\"message\":\""+plantedRecord+"\"}}', code: 200}\n"), 0o600))
	addr := emptyRedis(t)
	good := secretly(t, addr)
	wrong := append(secretly(t, addr), "WK_STORE__T17__API_KYE="+plantedTypo, "WK_REDIS__PASWORD="+plantedTypo, "WK_STORE__Z1__APP_SECRET="+plantedTypo)
	away := append(secretly(t, "redis://u:"+plantedAddr+"@127.0.0.1:1"), "WK_REDIS__PASSWORD="+plantedRedis)
	var all strings.Builder
	for name, env := range map[string][]string{"good": good, "wrong": wrong, "away": away} {
		for _, args := range []string{
			"cases ls", "cases ls --state all -o json", "cases show AE01/1", "explain AE01/1", "explain " + plantedKey, "shipments ls", "platforms",
			"platforms -o json", "config check", "config check -o json", "config print", "config print -o json", "config print --store AE01",
			"config docs", "config docs -o json", "replay " + tape, "replay -o json " + tape, "replay testdata/replay",
		} {
			if name == "away" && strings.Contains(args, "replay") {
				continue // each command that asks Redis waits for it
			}
			got := invoke(t, nil, env, strings.Fields(args)...)
			if got.out+got.err == "" {
				t.Errorf("%s: %s prints nothing", name, args)
			}
			all.WriteString(got.out + got.err)
		}
	}
	for _, secret := range planted() {
		for line := range strings.Lines(all.String()) {
			if strings.Contains(line, secret) {
				t.Errorf("secret %s is printed: %s", secret[:6], line)
			}
		}
	}
}

func TestScrubTakesOutSecretsAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	tool := &tool{environ: []string{"WK_STORE__A__API_KEY=abcd", "WK_STORE__A__TOKEN=abcdef", "WK_STORE__A__API_KEY_FILE=/run/key", "HOME_KEY=home", "WK_X__KEY=abc"}}
	const text = "abcdef abcd /run/key home abc redis://user:pass@host:1"
	if got := tool.scrub(text); got != "[redacted] [redacted] /run/key home abc redis://[redacted]@host:1" {
		t.Errorf("got %q", got)
	}
}
