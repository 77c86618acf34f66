package trace

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Config says where spans go and which are made. The zero value makes none.
type Config struct {
	endpoint string            // of traces, in full; empty: nothing is traced
	headers  func(http.Header) // sets what the collector wants to be let in with, so that nothing that prints a Config can show it; nil: nothing
	tls      *tls.Config
	gzip     bool
	timeout  time.Duration // of one batch, all its tries together
	sampler  sdktrace.Sampler
	resource []attribute.KeyValue
	queue    int           // spans that wait at most
	batch    int           // spans that are sent at once
	delay    time.Duration // until fewer are sent
	wrong    []string      // turns it off
	hints    []string      // turns nothing off
}

// On reports whether anything is traced.
func (c Config) On() bool { return c.endpoint != "" && len(c.wrong) == 0 }

// Warnings says what is wrong with the variables, without their values. Tracing is off then: it may be set up by others than who sets up the
// service (an admission webhook, a shared file), and no mistake of theirs is worth a deadline.
func (c Config) Warnings() []string {
	out := make([]string, 0, len(c.wrong)+1)
	for _, w := range c.wrong {
		out = append(out, "nothing is traced: "+w)
	}
	if u, err := url.Parse(c.endpoint); err == nil && u.Scheme == "http" && c.headers != nil && !loopback(u.Hostname()) {
		out = append(out, otlp+"HEADERS go to the collector in the clear: its address begins with http")
	}
	return append(out, c.hints...)
}

func loopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// The beginnings of names.
const (
	otlp   = "OTEL_EXPORTER_OTLP_"
	traces = "OTEL_EXPORTER_OTLP_TRACES_" // goes before otlp
)

// HeadersFile is the variable that names a file in place of OTEL_EXPORTER_OTLP_HEADERS.
const HeadersFile = "WK_TRACE__HEADERS_FILE"

// Load reads the standard variables. file reads what HeadersFile names; nil: it is not set.
func Load(lookup func(name string) (string, bool), file func() (string, error)) Config {
	r := &reader{lookup: lookup}
	name, endpoint := r.exporter("ENDPOINT")
	if endpoint == "" || strings.EqualFold(r.get("OTEL_SDK_DISABLED"), "true") || strings.EqualFold(r.get("OTEL_TRACES_EXPORTER"), "none") {
		return Config{}
	}
	c := Config{endpoint: r.address(name, endpoint), sampler: r.sampler(), resource: r.resource()}
	c.timeout = time.Duration(r.number(r.pick("TIMEOUT"), 10_000, 60_000)) * time.Millisecond
	c.queue = r.number("OTEL_BSP_MAX_QUEUE_SIZE", 2048, mostQueued)
	c.batch = min(r.number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512, mostSent), c.queue)
	c.delay = time.Duration(r.number("OTEL_BSP_SCHEDULE_DELAY", 5000, 600_000)) * time.Millisecond
	r.oneOf("OTEL_TRACES_EXPORTER", "otlp")
	r.oneOf(r.pick("PROTOCOL"), "http/protobuf")
	c.gzip = r.oneOf(r.pick("COMPRESSION"), "none", "gzip") == "gzip"
	c.headers = r.headers(file)
	c.tls = r.tls()
	c.wrong, c.hints = r.wrong, r.hints
	return c
}

// The most spans that wait, and that are sent at once: some 4 KB each, and memory that a dark collector fills is that of the answers.
const (
	mostQueued = 8192
	mostSent   = 2048
)

// exported are the variables that have two names: one with otlp and one with traces before it.
var exported = []string{"ENDPOINT", "HEADERS", "PROTOCOL", "CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY", "COMPRESSION", "TIMEOUT"}

// Variables are the names of the standard variables that are read.
func Variables() []string {
	out := []string{
		"OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY",
	}
	for _, what := range exported {
		out = append(out, otlp+what, traces+what)
	}
	return out
}

// reader collects what is wrong; it never repeats a value that may be a secret.
type reader struct {
	lookup func(string) (string, bool)
	wrong  []string
	hints  []string
}

func (r *reader) bad(name, want string) { r.wrong = append(r.wrong, name+": "+want) }

func (r *reader) hint(name, text string) {
	if text = name + ": " + text; !slices.Contains(r.hints, text) {
		r.hints = append(r.hints, text)
	}
}

// get is the value of a variable; an empty one counts as not set, which is the standard's word.
func (r *reader) get(name string) string {
	v, _ := r.lookup(name)
	return strings.TrimSpace(v)
}

// pick is which of the two names of an exporter's variable is set: that of traces before that of everything.
func (r *reader) pick(what string) string {
	if r.get(traces+what) != "" {
		return traces + what
	}
	return otlp + what
}

func (r *reader) exporter(what string) (name, value string) {
	name = r.pick(what)
	return name, r.get(name)
}

// oneOf is the value of a variable that knows a few words; without a value it is the first.
func (r *reader) oneOf(name string, words ...string) string {
	v := strings.ToLower(r.get(name))
	if slices.Contains(words, v) {
		return v
	}
	if v != "" {
		r.bad(name, "want "+strings.Join(words, " or ")+": nothing else is spoken")
	}
	return words[0]
}

func (r *reader) number(name string, standard, most int) int {
	v := r.get(name)
	if v == "" {
		return standard
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		r.bad(name, fmt.Sprintf("want a whole number from 1 to %d", most))
		return standard
	}
	if n > most {
		r.hint(name, fmt.Sprintf("%d is too much, and %d is used", n, most))
	}
	return min(n, most)
}

// grpcPort is where collectors mostly speak gRPC.
const grpcPort = "4317"

// address is where traces are posted: that of traces as it stands, that of everything with the path that the standard adds.
func (r *reader) address(name, raw string) string {
	u, err := url.Parse(raw)
	if err == nil && u.Port() == grpcPort {
		r.hint(name, "port "+grpcPort+" is mostly that of gRPC, which is not spoken: OTLP over HTTP is mostly at 4318")
	}
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		r.bad(name, "want an address such as http://collector:4318")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		r.bad(name, "want an address without a user, a query or a fragment; what lets us in belongs into "+otlp+"HEADERS")
	case name == otlp+"ENDPOINT":
		return u.JoinPath("v1", "traces").String()
	default:
		return u.String()
	}
	return raw
}

func (r *reader) sampler() sdktrace.Sampler {
	const name, arg = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
	switch r.oneOf(name, "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio", "always_on", "always_off", "traceidratio") {
	case "parentbased_always_off":
		return sdktrace.ParentBased(sdktrace.NeverSample())
	case "parentbased_traceidratio":
		return sdktrace.ParentBased(sdktrace.TraceIDRatioBased(r.ratio(arg)))
	case "always_on":
		return sdktrace.AlwaysSample()
	case "always_off":
		return sdktrace.NeverSample()
	case "traceidratio":
		return sdktrace.TraceIDRatioBased(r.ratio(arg))
	}
	return sdktrace.ParentBased(sdktrace.AlwaysSample())
}

func (r *reader) ratio(name string) float64 {
	v := r.get(name)
	if v == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(v, 64)
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		r.bad(name, "want a number from 0 to 1")
	}
	return ratio
}

// serviceName is the attribute that OTEL_SERVICE_NAME sets.
const serviceName = "service.name"

// text is what a span may hold: one byte that is not UTF-8 would lose all of them at the exporter.
func (r *reader) text(name, value string) string {
	if !utf8.ValidString(value) {
		r.hint(name, "holds bytes that are not UTF-8, which are replaced")
	}
	return strings.ToValidUTF8(value, string(utf8.RuneError))
}

// resource is what the operator tells of this process.
func (r *reader) resource() []attribute.KeyValue {
	const name = "OTEL_RESOURCE_ATTRIBUTES"
	pairs, err := list(r.get(name))
	if err != nil {
		r.bad(name, err.Error())
	}
	for i, p := range pairs {
		pairs[i] = pair{r.text(name, p.name), r.text(name, p.value)}
	}
	service := r.text("OTEL_SERVICE_NAME", r.get("OTEL_SERVICE_NAME"))
	out := make([]attribute.KeyValue, 0, len(pairs)+1)
	for _, p := range pairs {
		if p.name == serviceName && service == "" {
			service = p.value
		}
		if p.name != serviceName {
			out = append(out, attribute.String(p.name, p.value))
		}
	}
	if service == "" {
		service = "watchkeeper"
	}
	return append(out, attribute.String(serviceName, service))
}

func (r *reader) headers(file func() (string, error)) func(http.Header) {
	name, raw := r.exporter("HEADERS")
	if file != nil {
		if raw != "" {
			r.bad(HeadersFile, "set it or "+name+", not both")
			return nil
		}
		text, err := file()
		if err != nil {
			r.bad(HeadersFile, err.Error())
			return nil
		}
		name, raw = HeadersFile, text
	}
	pairs, err := list(raw)
	if err != nil {
		r.bad(name, err.Error())
	}
	if len(pairs) == 0 {
		return nil
	}
	for _, p := range pairs {
		if !token(p.name) || strings.ContainsFunc(p.value, func(c rune) bool { return c < ' ' || c >= 0x7f }) {
			r.bad(name, errList.Error())
			return nil
		}
	}
	return func(h http.Header) {
		for _, p := range pairs {
			h.Set(p.name, p.value)
		}
	}
}

// token tells whether a text can be the name of a header.
func token(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}

// shortest is the least length of a secret of headers.
const shortest = 8

// plainWord is the name of a tenant, a store or a data set, which may be a word of every line: taken for a secret it would blot out the log.
var plainWord = regexp.MustCompile(`^[a-z]+([-_.][a-z]+)*$`)

// secretHeader names a header whose value is a secret, be it a word or not.
var secretHeader = regexp.MustCompile(`(?i)auth|key|token|secret|password|cookie`)

// Secrets are the parts of OTEL_EXPORTER_OTLP_HEADERS that must not show in a log, as they are written and as they are sent.
func Secrets(raw string) []string {
	var out []string
	for item := range strings.FieldsFuncSeq(raw, separates) {
		name, value, _ := strings.Cut(item, "=")
		parts := []string{strings.TrimSpace(value)}
		if plain, err := url.PathUnescape(value); err == nil {
			parts = append(parts, strings.TrimSpace(plain))
			parts = append(parts, strings.Fields(plain)...) // the token of "Bearer TOKEN"
		}
		for _, p := range parts {
			if len(p) >= shortest && (secretHeader.MatchString(name) || !plainWord.MatchString(p)) {
				out = append(out, p)
			}
		}
	}
	return out
}

func separates(c rune) bool { return c == ',' || c == '\n' }

type pair struct{ name, value string }

var errList = errors.New("want name=value, with commas between several, and %20 and the like for what a value may not hold")

// list reads "name=value,name=value", each value escaped as in an address.
func list(raw string) ([]pair, error) {
	var out []pair
	for item := range strings.FieldsFuncSeq(raw, separates) {
		if strings.TrimSpace(item) == "" {
			continue
		}
		name, value, ok := strings.Cut(item, "=")
		plain, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || name == "" || err != nil {
			return nil, errList
		}
		out = append(out, pair{name, plain})
	}
	return out, nil
}

// tls is nil when the system's authorities are trusted and nothing is shown.
func (r *reader) tls() *tls.Config {
	ca, cert, key := r.pick("CERTIFICATE"), r.pick("CLIENT_CERTIFICATE"), r.pick("CLIENT_KEY")
	if r.get(ca)+r.get(cert)+r.get(key) == "" {
		return nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if path := r.get(ca); path != "" {
		pem, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		c.RootCAs = x509.NewCertPool()
		if err != nil || !c.RootCAs.AppendCertsFromPEM(pem) {
			r.bad(ca, "want a readable file of certificates (PEM)")
		}
	}
	if r.get(cert)+r.get(key) != "" {
		pair, err := tls.LoadX509KeyPair(r.get(cert), r.get(key))
		if err != nil {
			r.bad(cert, "want readable files of a certificate and its key (PEM), the key in "+key)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c
}
