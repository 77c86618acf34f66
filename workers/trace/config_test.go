package trace_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchkeeper/workers/trace"
)

const (
	endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT"
	headers  = "OTEL_EXPORTER_OTLP_HEADERS"
	canary   = "c4n4ryc4n4ry"
)

func of(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := env[name]
		return v, ok
	}
}

// with is an environment with a collector and more.
func with(more ...string) map[string]string {
	env := map[string]string{endpoint: "http://127.0.0.1:4318"}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return env
}

func TestNothingIsTracedWithoutACollectorOrWhereThatIsSaid(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"nothing set": nil, "an empty endpoint": {endpoint: " "}, "others only": {headers: "a=b", "OTEL_TRACES_SAMPLER": "wrong"},
		"disabled": with("OTEL_SDK_DISABLED", "TRUE"), "no exporter": with("OTEL_TRACES_EXPORTER", "none"),
	} {
		if c := trace.Load(of(env), nil); c.On() || len(c.Warnings()) > 0 {
			t.Errorf("%s: want nothing traced and nothing said, got %t %v", name, c.On(), c.Warnings())
		}
	}
	for name, env := range map[string]map[string]string{
		"everything": with(), "traces only": {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://collector.example.com/v1/traces"},
		"all there is": with("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "OTEL_EXPORTER_OTLP_TIMEOUT", "2500",
			"OTEL_TRACES_SAMPLER", "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG", "0.25", "OTEL_SERVICE_NAME", "wk", "OTEL_RESOURCE_ATTRIBUTES", "a=b,c=d%20e",
			headers, "Authorization=Bearer%20x", "OTEL_BSP_MAX_QUEUE_SIZE", "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10", "OTEL_BSP_SCHEDULE_DELAY", "100",
			"OTEL_TRACES_EXPORTER", "otlp"),
	} {
		if c := trace.Load(of(env), nil); !c.On() || len(c.Warnings()) > 0 {
			t.Errorf("%s: want it on without a word, got %t %v", name, c.On(), c.Warnings())
		}
	}
}

// A mistake turns traces off and is told by the variable's name, never by its value: some hold what lets us in.
func TestAMistakeIsToldByNameAndTurnsTracesOff(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for variable, value := range map[string]string{
		endpoint:                                "collector:4318/" + canary,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT":    "https://user:" + canary + "@collector.example.com",
		"OTEL_EXPORTER_OTLP_PROTOCOL":           "grpc",
		"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL":    "http/json",
		"OTEL_EXPORTER_OTLP_COMPRESSION":        "zstd",
		"OTEL_EXPORTER_OTLP_TIMEOUT":            "10s",
		"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT":     "-1",
		"OTEL_TRACES_EXPORTER":                  "zipkin",
		"OTEL_TRACES_SAMPLER":                   "jaeger_remote",
		"OTEL_RESOURCE_ATTRIBUTES":              canary,
		headers:                                 canary,
		"OTEL_EXPORTER_OTLP_TRACES_HEADERS":     "a b=" + canary,
		"OTEL_EXPORTER_OTLP_CERTIFICATE":        missing,
		"OTEL_BSP_MAX_QUEUE_SIZE":               "0",
		"OTEL_BSP_MAX_EXPORT_BATCH_SIZE":        "many",
		"OTEL_BSP_SCHEDULE_DELAY":               "1h",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": missing,
	} {
		c := trace.Load(of(with(variable, value)), nil)
		if said := strings.Join(c.Warnings(), "\n"); c.On() || len(c.Warnings()) != 1 || !strings.Contains(said, "nothing is traced: "+variable+": want ") {
			t.Errorf("%s: want it off and one mistake told, got %t %q", variable, c.On(), said)
		} else if strings.Contains(said, canary) {
			t.Errorf("%s: the value shows: %s", variable, said)
		}
	}
	for _, ratio := range []string{"2", "-0.1", "NaN", "half"} {
		c := trace.Load(of(with("OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", ratio)), nil)
		if c.On() || len(c.Warnings()) != 1 {
			t.Errorf("ratio %s: want it refused, got %t %v", ratio, c.On(), c.Warnings())
		}
	}
}

func TestSeveralMistakesAreToldTogether(t *testing.T) {
	t.Parallel()
	c := trace.Load(of(with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "OTEL_TRACES_SAMPLER", "x", headers, "x")), nil)
	if got := c.Warnings(); len(got) != 3 {
		t.Errorf("want three mistakes, got %q", got)
	}
}

// Memory that a dark collector fills is that of the answers.
func TestWhatIsTooMuchIsLessAndAWarning(t *testing.T) {
	t.Parallel()
	for variable, most := range map[string]int{
		"OTEL_BSP_MAX_QUEUE_SIZE": 8192, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": 2048, "OTEL_EXPORTER_OTLP_TIMEOUT": 60_000, "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": 60_000,
		"OTEL_BSP_SCHEDULE_DELAY": 600_000,
	} {
		fits := trace.Load(of(with(variable, strconv.Itoa(most))), nil)
		if !fits.On() || len(fits.Warnings()) > 0 {
			t.Errorf("%s: want %d taken without a word, got %t %v", variable, most, fits.On(), fits.Warnings())
		}
		got := trace.Load(of(with(variable, strconv.Itoa(most+1))), nil)
		if want := fmt.Sprintf("%s: %d is too much, and %d is used", variable, most+1, most); !got.On() || len(got.Warnings()) != 1 || got.Warnings()[0] != want {
			t.Errorf("want it on and %q, got %t %q", want, got.On(), got.Warnings())
		}
		if a, b := fmt.Sprint(trace.Limits(fits)), fmt.Sprint(trace.Limits(got)); a != b {
			t.Errorf("%s: want as much as at most, %s, got %s", variable, a, b)
		}
	}
}

func TestThePortOfGRPCIsAWarning(t *testing.T) {
	t.Parallel()
	for variable, address := range map[string]string{endpoint: "http://127.0.0.1:4317", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c.example.com:4317/v1/traces"} {
		c := trace.Load(of(with(variable, address)), nil)
		if said := strings.Join(c.Warnings(), "\n"); !c.On() || len(c.Warnings()) != 1 || !strings.HasPrefix(said, variable+": port 4317") || !strings.Contains(said, "4318") {
			t.Errorf("%s: want it on and a word about the port, got %t %q", variable, c.On(), said)
		}
	}
}

func TestTheListOfVariablesIsWhatIsRead(t *testing.T) {
	t.Parallel()
	read := map[string]bool{}
	env := with("OTEL_TRACES_SAMPLER", "traceidratio")
	for _, more := range []map[string]string{env, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}} {
		trace.Load(func(name string) (string, bool) {
			read[name] = true
			v, ok := more[name]
			return v, ok
		}, nil)
	}
	want, got := slices.Sorted(slices.Values(trace.Variables())), slices.Sorted(maps.Keys(read))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHeadersNeverShow(t *testing.T) {
	t.Parallel()
	c := trace.Load(of(with(headers, "Authorization=Bearer%20"+canary)), nil)
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c)} {
		if strings.Contains(shown, canary) {
			t.Errorf("they show: %s", shown)
		}
	}
	plain := trace.Load(of(map[string]string{endpoint: "http://collector.example.com:4318", headers: "Authorization=" + canary}), nil)
	if got := plain.Warnings(); !plain.On() || len(got) != 1 || !strings.Contains(got[0], "in the clear") || strings.Contains(got[0], canary) {
		t.Errorf("want a word about headers in the clear, got %q", got)
	}
}

func TestAFileOfHeadersTakesTheirPlace(t *testing.T) {
	t.Parallel()
	file := func(text string, err error) func() (string, error) {
		return func() (string, error) { return text, err }
	}
	for name, c := range map[string]struct {
		config trace.Config
		want   string // in the one warning; empty: none
	}{
		"a line":     {trace.Load(of(with()), file("Authorization=Bearer%20x", nil)), ""},
		"two lines":  {trace.Load(of(with()), file("a=b\nc=d\n", nil)), ""},
		"both":       {trace.Load(of(with(headers, "a=b")), file("a=b", nil)), "WK_TRACE__HEADERS_FILE: set it or OTEL_EXPORTER_OTLP_HEADERS, not both"},
		"unreadable": {trace.Load(of(with()), file("", errors.New("no such file"))), "WK_TRACE__HEADERS_FILE: no such file"},
		"nonsense":   {trace.Load(of(with()), file(canary, nil)), "WK_TRACE__HEADERS_FILE: want name=value"},
		"unused":     {trace.Load(of(nil), file("", errors.New("no such file"))), ""},
	} {
		got := strings.Join(c.config.Warnings(), "\n")
		if got != "" != (c.want != "") || !strings.Contains(got, c.want) || strings.Contains(got, canary) {
			t.Errorf("%s: want %q, got %q", name, c.want, got)
		}
	}
}

func TestSecretsOfHeadersAreThoseThatNobodyWouldSayByChance(t *testing.T) {
	t.Parallel()
	got := trace.Secrets("Authorization=Bearer%20" + canary + ", x-scope-orgid=main\nx-key = " + canary + "2,x-tenant=aliexpress,dataset=shop-production")
	slices.Sort(got)
	want := []string{"Bearer " + canary, "Bearer%20" + canary, canary, canary + "2", canary + "2", canary + "2"}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, raw := range []string{"X-API-Key=aliexpress", "my-token=aliexpress", "x=aliexpress7", "x=Aliexpress", "x=ali%20express"} {
		if len(trace.Secrets(raw)) == 0 {
			t.Errorf("%s: want it a secret", raw)
		}
	}
}

func TestACertificateMustBeOne(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := trace.Load(of(with("OTEL_EXPORTER_OTLP_CERTIFICATE", path)), nil)
	if c.On() || len(c.Warnings()) != 1 {
		t.Errorf("want it refused, got %v", c.Warnings())
	}
}
