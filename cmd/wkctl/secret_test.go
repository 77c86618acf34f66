package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"watchkeeper/sla"
	"watchkeeper/workers/store"
	"watchkeeper/workers/store/storetest"
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
	plantedNew    = "N3w-planted-0009"
)

func planted() []string {
	return []string{plantedKey, plantedFile, plantedRedis, plantedURL, plantedTypo, plantedAddr, plantedToken, plantedRecord, plantedNew}
}

func secretly(t *testing.T, addr string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(file, []byte(plantedFile), 0o600))
	return []string{
		"WK_REDIS__ADDRS=" + addr, "WK_STORE__T17__PLATFORM=track17", "WK_STORE__T17__API_KEY=" + plantedKey, "WK_STORE__EP__PLATFORM=easypost",
		"WK_STORE__EP__API_KEY_FILE=" + file, "WK_STORE__AE01__PLATFORM=aliexpress", "WK_STORE__AE01__APP_KEY=500123",
		"WK_STORE__AE01__APP_SECRET=" + plantedToken, "WK_STORE__AE01__REFRESH_TOKEN=" + plantedToken, "WK_STORE__AE01__ACCESS_TOKEN=" + plantedToken,
		"WK_STORE__AE01__BUYER_HASH_KEY=" + plantedToken, "WK_STORE__EP__BASE_URL=https://u:" + plantedURL + "@host.invalid", "WK_NOTIFY__PAGE_URL=http://127.0.0.1:1/services/" + plantedToken,
	}
}

// recorded is a Redis with a case of AE01 on aliexpress; it answers its address.
func recorded(t *testing.T) string {
	t.Helper()
	addr := emptyRedis(t)
	rdb := storetest.Connect(t, addr)
	s, err := store.Open(t.Context(), rdb, store.Options{Now: func() time.Time { return now }, Stores: map[sla.StoreID]sla.Platform{"AE01": "aliexpress"}})
	must(t, err)
	w := testCases()[0]
	w.ID.Platform = "aliexpress"
	_, err = s.PutCases(t.Context(), []sla.CaseWrite{w})
	must(t, err)
	return addr
}

// spoken are the arguments with which each command is asked for secrets, those of the last more than once. FILE is a file of variables,
// TAPE a cassette.
var spoken = map[string][]string{
	"cases ls": {"", "--state all -o json"}, "cases show": {"AE01/1", "AE01/1001"}, "cases hold": {"AE01/1001 --note " + plantedKey},
	"cases reject": {"AE01/1001 --note x --by " + plantedToken, "AE01/1001"}, "cases release": {"AE01/1001 --note x -o json"},
	"cases approve": {"AE01/1001 --note " + plantedKey, "AE01/1001 --note x -o json", "AE01/1001 --note x --turn " + plantedKey},
	"explain":       {"AE01/1", "AE01/1001", plantedKey, "AE01/1001 --env FILE", "AE01/1001 --env FILE -o json", "AE01/1001 --env LOADS"},
	"shipments ls":  {""}, "platforms": {"", "-o json"}, "config check": {"", "-o json"},
	"config print": {"", "-o json", "--store AE01", "-o env", "--effective=false --origin", "--origin API_KEY APP_SECRET"}, "config docs": {"", "-o json"},
	"config diff": {"FILE", "FILE -o json", "LOADS", "LOADS -o json"}, "rules try": {"FILE", "FILE -o json", "LOADS", "LOADS -o json"},
	"shadow report": {"", "-o json"}, "kill-switch on": {"--scope all --note " + plantedKey, "--scope " + plantedKey + " --note x"},
	"kill-switch ls": {"", "-o json"}, "kill-switch off": {"--scope all --note x", "--scope AE01 --note x -o json"},
	"doctor": {"--offline", "--offline --strict -o json"}, "replay": {"TAPE", "-o json TAPE", "testdata/replay"},
	"notify test": {"", "-o json"},
}

func TestNoCommandPrintsASecret(t *testing.T) {
	t.Parallel()
	tape := filepath.Join(t.TempDir(), "tape.yaml")
	must(t, os.WriteFile(tape, []byte("interactions:\n- request: {url: 'https://api.easypost.com/v2/?key="+plantedRecord+"', headers: {Authorization: ["+plantedRecord+"]}}\n"+
		"  response: {body: '{\"error\":{\"message\":\""+plantedRecord+"\"}}', code: 200}\n"), 0o600))
	fails := written(t, "WK_STORE__AE01__APP_SECRET="+plantedNew, "WK_STORE__AE01__APP_SECRRET="+plantedNew, "WK_STORE__T17__API_KEY_FILE="+plantedNew)
	loads := written(t, "WK_STORE__AE01__APP_SECRET="+plantedNew, "WK_SLA__MODE=live", "WK_SLA__ACCEPT_CAP=5USD")
	addr := recorded(t)
	good := secretly(t, addr)
	wrong := append(secretly(t, addr), "WK_STORE__T17__API_KYE="+plantedTypo, "WK_REDIS__PASWORD="+plantedTypo, "WK_STORE__Z1__APP_SECRET="+plantedTypo)
	away := append(secretly(t, "redis://u:"+plantedAddr+"@127.0.0.1:1"), "WK_REDIS__PASSWORD="+plantedRedis)
	var all strings.Builder
	for name, env := range map[string][]string{"good": good, "wrong": wrong, "away": away} {
		for _, path := range commands(t) {
			if len(spoken[path]) == 0 {
				t.Errorf("nobody asks %q for secrets", path)
			}
			for _, args := range spoken[path] {
				line := strings.NewReplacer("FILE", fails, "LOADS", loads, "TAPE", tape).Replace(path + " " + args)
				got := invoke(t, nil, env, strings.Fields(line)...)
				if got.out+got.err == "" {
					t.Errorf("%s: %s prints nothing", name, line)
				}
				all.WriteString(got.out + got.err)
			}
		}
	}
	for _, text := range []string{"approved by", "rejected by", "kill switch all is on", "0 of 1 cases differ"} {
		if !strings.Contains(all.String(), text) && !strings.Contains(all.String(), strings.ReplaceAll(text, "0 of", "1 of")) {
			t.Errorf("no command got as far as %q", text)
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

// A store may be called after a country or a brand: that makes no secret of what is said of it.
func TestTheIDOfAStoreMakesNoSecretOfItsVariables(t *testing.T) {
	t.Parallel()
	tool := tool{environ: []string{
		"WK_STORE__TURKEY1__PLATFORM=aliexpress", "WK_SLA__STORE__TURKEY1__MODE=live", "WK_SHIPMENT__STORE__TOKENS__STALL=20days",
		"WK_CALENDAR__TURKEY__HOURS=Mon-Fri 9:00-17:00", "WK_STORE__TURKEY1__API_KEY=" + plantedKey, "WK_STORE__AE01__API_KEY__OLD=" + plantedToken,
		"WK_STORE__API_KEY=" + plantedNew, "WK_REDIS__PASSWORD=" + plantedRedis, "WK_NOTIFY__CHAT_URL=" + plantedURL,
	}}
	const plain = "store TURKEY1 on aliexpress is live, 20days, Mon-Fri 9:00-17:00"
	got := tool.scrub(strings.Join([]string{plain, plantedKey, plantedToken, plantedNew, plantedRedis, plantedURL}, " "))
	if want := plain + strings.Repeat(" [redacted]", 5); got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}
