package fleet

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/sethvargo/go-envconfig"

	"watchkeeper/sla/rules"
)

// A Variable is one variable of the machinery, with the value that a configuration holds.
type Variable struct {
	Name     string // in full: "WK_REDIS__ADDRS"
	Type     string // what a value looks like, in a few words
	Default  string // empty when there is none
	Value    string // as it would be written; "(set)" for a secret
	Sentence string // what it does
	Example  string // an accepted value; empty for a secret
}

// abouts say what each variable does, with an example, for the documentation.
var abouts = map[string]struct{ sentence, example string }{
	"WK_REDIS__ADDRS":                  {"Where Redis is: one host:port, several of a cluster, or the sentinels when a master is named.", "redis:6379"},
	"WK_REDIS__MASTER":                 {"The name that the sentinels know the master by; not set without Sentinel.", "mymaster"},
	"WK_REDIS__CLUSTER":                {"Makes a single address a cluster's.", "true"},
	"WK_REDIS__DB":                     {"The number of the database; 0 on a cluster.", "1"},
	"WK_REDIS__USERNAME":               {"The user to log in as.", "watchkeeper"},
	"WK_REDIS__PASSWORD":               {"The password to log in with; better in a file.", ""},
	"WK_REDIS__PASSWORD_FILE":          {"A file that holds the password; excludes WK_REDIS__PASSWORD.", "/secrets/redis/password"},
	"WK_REDIS__TLS":                    {"Whether to speak TLS 1.2 or later with Redis.", "true"},
	"WK_REDIS__TLS_CA_FILE":            {"A file of certificates (PEM) to trust in place of the system's.", "/secrets/redis/ca.pem"},
	"WK_REDIS__TLS_CERT_FILE":          {"The certificate (PEM) that this process shows to Redis; goes with WK_REDIS__TLS_KEY_FILE.", "/secrets/redis/client.pem"},
	"WK_REDIS__TLS_KEY_FILE":           {"The private key of WK_REDIS__TLS_CERT_FILE.", "/secrets/redis/client-key.pem"},
	"WK_REDIS__TLS_SERVER_NAME":        {"The name that Redis' certificate must have, where it is not the host of the address.", "redis.internal"},
	"WK_REDIS__SENTINEL_USERNAME":      {"The user to log in to the sentinels as.", "watchkeeper"},
	"WK_REDIS__SENTINEL_PASSWORD_FILE": {"A file that holds the password to log in to the sentinels with.", "/secrets/redis/sentinel"},
	"WK_HTTP__ADMIN": {"Where the profiler and the settings without their secrets are served; not set, nowhere. Without a host it listens on the loopback interface only.",
		"127.0.0.1:9091"},
	"WK_VAULT__KEY_FILE": {"A file of keys, one a line of at least 32 characters, that the platforms' tokens are sealed with before they are stored: " +
		"the first seals, all open. Not set, a connector seals with a secret of its own. Read at start.",
		"/secrets/vault/keys"},
	"WK_REDIS__SHARDS":        {"Into how many parts the records are split, 1 to 64; fixed at the first start with an empty Redis.", "16"},
	"WK_HTTP__LISTEN":         {"Where metrics and probes are served.", ":8080"},
	"WK_WORKERS__CONCURRENCY": {"How many jobs run at once in one process, 1 to 1000.", "64"},
	"WK_WORKERS__SHUTDOWN":    {"How long running jobs have when the process is asked to stop, 1s to 10m.", "45s"},
	"WK_WORKERS__SWEEP":       {"How often the timers are looked at on average, 1ms to 30s: a due case waits twice that at most.", "50ms"},
	"WK_WORKERS__POLL":        {"How often is looked for lists that are due, on average, 1ms to 1m.", "250ms"},
	"WK_WORKERS__ROLES": {"What this process does: all, or a list of poll (reads the platforms' lists), work (answers), sweep (looks at the timers) and " +
		"admin (serves WK_HTTP__ADMIN and counts all cases for the metrics). Some process must have each.", "poll,sweep"},
	"WK_NOTIFY__CHAT_URL": {"Where warnings are posted as JSON: the https address of a webhook, which is a secret; better in a file.",
		"https://hooks.example.com/services/name"},
	"WK_NOTIFY__CHAT_URL_FILE": {"A file that holds WK_NOTIFY__CHAT_URL, which it excludes; read at start.", "/secrets/notify/chat"},
	"WK_NOTIFY__PAGE_URL": {"Where pages are posted as JSON; not set, they go where warnings go.",
		"https://hooks.example.com/services/pager"},
	"WK_NOTIFY__PAGE_URL_FILE": {"A file that holds WK_NOTIFY__PAGE_URL, which it excludes; read at start.", "/secrets/notify/page"},
	"WK_NOTIFY__TOKEN_FILE":    {"A file that holds the bearer token that both webhooks want; read at start.", "/secrets/notify/token"},
	"WK_TRACE__HEADERS_FILE": {"A file that holds OTEL_EXPORTER_OTLP_HEADERS, which it excludes: what lets us in at the collector of traces; read at start.",
		"/secrets/trace-headers"},
	"WK_LOG__LEVEL":  {"What is logged: debug, info, warn or error.", "debug"},
	"WK_LOG__FORMAT": {"How it is logged: json or console.", "console"},
}

// Describe lists the machinery's variables with the values of a configuration, in the order of their declaration. No secret is shown.
func Describe(c Config) []Variable {
	var out []Variable
	describe(reflect.ValueOf(c), Prefix, &out)
	return out
}

func describe(v reflect.Value, prefix string, out *[]Variable) {
	for f, value := range v.Fields() {
		tag, set := f.Tag.Lookup("env")
		name, opts, _ := strings.Cut(tag, ",")
		if !set {
			continue // not of our variables
		}
		if name == "" {
			_, sub, _ := strings.Cut(opts, "prefix=")
			describe(value, prefix+sub, out)
			continue
		}
		_, standard, _ := strings.Cut(opts, "default=")
		about := abouts[prefix+name]
		*out = append(*out, Variable{
			Name: prefix + name, Type: typeName(f.Type), Default: standard, Value: shown(prefix+name, value), Sentence: about.sentence, Example: about.example,
		})
	}
}

func shown(name string, v reflect.Value) string {
	text := fmt.Sprint(v.Interface())
	if list, ok := reflect.TypeAssert[[]string](v); ok {
		text = strings.Join(list, ",")
	}
	if rules.IsSecret(name) && text != "" {
		return "(set)"
	}
	return text
}

// The types of variables.
const (
	typeList     = "list"
	typeBool     = "true or false"
	typeInt      = "whole number"
	typeDuration = "duration"
	typeText     = "text"
)

func typeName(t reflect.Type) string {
	switch t.String() {
	case "[]string":
		return typeList
	case "bool":
		return typeBool
	case "int":
		return typeInt
	case "time.Duration":
		return typeDuration
	}
	return typeText
}

// sound leaves the values out that cannot be read, and reports each with its variable's name: go-envconfig stops at the first, and names
// the field of a struct. An empty value is for the rulebook to refuse, as all empty values are.
func sound(env envconfig.Lookuper) (envconfig.Lookuper, []error) {
	kept := map[string]string{}
	var errs []error
	for _, v := range Describe(Config{}) {
		text, set := env.Lookup(v.Name)
		plain, ok := v.reads(text)
		switch {
		case !set || strings.TrimSpace(text) == "":
		case ok:
			kept[v.Name] = plain
		default:
			errs = append(errs, fmt.Errorf("%s: not readable as %s; for example %s", v.Name, v.Type, v.Example))
		}
	}
	return envconfig.MapLookuper(kept), errs
}

// reads gives a value as go-envconfig understands it, and whether it has the form of the variable's type. Durations are those of the rules.
func (v Variable) reads(text string) (plain string, ok bool) {
	var err error
	switch v.Type {
	case typeBool:
		_, err = strconv.ParseBool(text)
	case typeInt:
		_, err = strconv.Atoi(text)
	case typeDuration:
		var d time.Duration
		if d, err = rules.ParseDuration(text); err == nil {
			text = d.String()
		}
	}
	return text, err == nil
}
