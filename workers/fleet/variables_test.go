package fleet_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/workers/fleet"
)

func TestEveryVariableOfTheMachineryIsDocumentedAndItsExampleAccepted(t *testing.T) {
	t.Parallel()
	all := fleet.Describe(fleet.Config{})
	if len(all) < 16 || len(all) != len(fleet.Variables()) {
		t.Fatalf("%d variables described, %d declared", len(all), len(fleet.Variables()))
	}
	for _, v := range all {
		if v.Name == "" || v.Type == "" || !strings.HasSuffix(v.Sentence, ".") {
			t.Errorf("not documented: %+v", v)
		}
		if v.Example == "" || strings.HasSuffix(v.Name, "_FILE") {
			continue // a file of an example is not here
		}
		env := map[string]string{"WK_REDIS__TLS": "true", "WK_REDIS__MASTER": "mymaster"} // without which their companions are mistakes
		env[v.Name] = v.Example
		if _, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(env)); err != nil {
			t.Errorf("the example of %s is refused: %v", v.Name, err)
		}
	}
}

func TestEveryUnreadableVariableIsReportedByItsName(t *testing.T) {
	t.Parallel()
	wrong := map[string]string{"WK_REDIS__SHARDS": "many", "WK_REDIS__TLS": "perhaps", "WK_WORKERS__SWEEP": "20", "WK_WORKERS__CONCURRENCY": "0"}
	_, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(wrong))
	if err == nil {
		t.Fatal("nothing was refused")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(wrong) {
		t.Errorf("want %d problems, got:\n%v", len(wrong), err)
	}
	for name := range wrong {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s is not named:\n%v", name, err)
		}
	}
}

func TestDurationsOfTheMachineryAreWrittenLikeThoseOfTheRules(t *testing.T) {
	t.Parallel()
	load := func(text string) (fleet.Config, error) {
		return fleet.LoadConfig(t.Context(), envconfig.MapLookuper(map[string]string{"WK_WORKERS__SHUTDOWN": text}))
	}
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "2m": 2 * time.Minute, "0d5m": 5 * time.Minute} {
		if c, err := load(text); err != nil || c.Workers.Shutdown != want {
			t.Errorf("%q: want %v, got %v (%v)", text, want, c.Workers.Shutdown, err)
		}
	}
	for text, want := range map[string]string{"5d": "want 1s to 10m", "2w": "want 1s to 10m", "-5m": "not readable as duration", "30": "not readable as duration"} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), "WK_WORKERS__SHUTDOWN: "+want) {
			t.Errorf("%q: want %q, got %v", text, want, err)
		}
	}
}

func TestAddressesOfHooksAreSecrets(t *testing.T) {
	t.Parallel()
	const good = "https://hooks.example.com/SECRET"
	c, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(map[string]string{"WK_NOTIFY__CHAT_URL": good, "WK_NOTIFY__PAGE_URL": good}))
	if err != nil || c.Notify.ChatURL != good {
		t.Fatalf("want the address read, got %v", err)
	}
	for _, v := range fleet.Describe(c) {
		if strings.Contains(v.Value, "SECRET") {
			t.Errorf("%s is shown", v.Name)
		}
	}
	_, err = fleet.LoadConfig(t.Context(), envconfig.MapLookuper(map[string]string{"WK_NOTIFY__CHAT_URL": "http://hooks.example.com/SECRET"}))
	if err == nil || !strings.Contains(err.Error(), "WK_NOTIFY__CHAT_URL: ") || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("want the variable named and its value not, got %v", err)
	}
}

func TestDescribeShowsValuesAndNoSecret(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	c := fleet.Config{Redis: fleet.Redis{Addrs: []string{"a:1", "b:2"}, Password: "hunter22"}}
	for _, v := range fleet.Describe(c) {
		got[v.Name] = v.Value
	}
	if got["WK_REDIS__ADDRS"] != "a:1,b:2" || got["WK_REDIS__PASSWORD"] != "(set)" {
		t.Errorf("shown: %v", got)
	}
}
