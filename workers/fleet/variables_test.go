package fleet_test

import (
	"strings"
	"testing"

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
		if v.Example == "" {
			continue
		}
		if _, err := fleet.LoadConfig(t.Context(), envconfig.MapLookuper(map[string]string{v.Name: v.Example})); err != nil {
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
