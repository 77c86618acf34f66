package fleet

import (
	"fmt"
	"reflect"
	"strings"

	"watchkeeper/sla/rules"
)

// A Variable is one variable of the machinery, with the value that a configuration holds.
type Variable struct {
	Name     string // in full: "WK_REDIS__ADDRS"
	Type     string // what a value looks like, in a few words
	Default  string // empty when there is none
	Value    string // as it would be written; "(set)" for a secret
	Sentence string // what it does
}

// sentences say what each variable does, for the documentation.
var sentences = map[string]string{
	"WK_REDIS__ADDRS":         "Where Redis is: one host:port, several of a cluster, or the sentinels when a master is named.",
	"WK_REDIS__MASTER":        "The name that the sentinels know the master by; not set without Sentinel.",
	"WK_REDIS__CLUSTER":       "Makes a single address a cluster's.",
	"WK_REDIS__DB":            "The number of the database; 0 on a cluster.",
	"WK_REDIS__USERNAME":      "The user to log in as.",
	"WK_REDIS__PASSWORD":      "The password to log in with; better in a file.",
	"WK_REDIS__PASSWORD_FILE": "A file that holds the password; excludes WK_REDIS__PASSWORD.",
	"WK_REDIS__TLS":           "Whether to speak TLS 1.2 or later with Redis.",
	"WK_REDIS__SHARDS":        "Into how many parts the records are split, 1 to 64; fixed at the first start with an empty Redis.",
	"WK_HTTP__LISTEN":         "Where metrics and probes are served.",
	"WK_WORKERS__CONCURRENCY": "How many jobs run at once in one process, 1 to 1000.",
	"WK_WORKERS__SHUTDOWN":    "How long running jobs have when the process is asked to stop, 1s to 10m.",
	"WK_WORKERS__SWEEP":       "How often the timers are looked at, 1ms to 1m: the most that a due case waits.",
	"WK_WORKERS__POLL":        "How often is looked for lists that are due, 1ms to 1m.",
	"WK_LOG__LEVEL":           "What is logged: debug, info, warn or error.",
	"WK_LOG__FORMAT":          "How it is logged: json or console.",
}

// Describe lists the machinery's variables with the values of a configuration, in the order of their declaration. No secret is shown.
func Describe(c Config) []Variable {
	var out []Variable
	describe(reflect.ValueOf(c), Prefix, &out)
	return out
}

func describe(v reflect.Value, prefix string, out *[]Variable) {
	for f, value := range v.Fields() {
		name, opts, _ := strings.Cut(f.Tag.Get("env"), ",")
		if name == "" {
			_, sub, _ := strings.Cut(opts, "prefix=")
			describe(value, prefix+sub, out)
			continue
		}
		_, standard, _ := strings.Cut(opts, "default=")
		*out = append(*out, Variable{
			Name: prefix + name, Type: typeName(f.Type), Default: standard, Value: shown(prefix+name, value), Sentence: sentences[prefix+name],
		})
	}
}

func shown(name string, v reflect.Value) string {
	text := fmt.Sprint(v.Interface())
	if list, ok := v.Interface().([]string); ok {
		text = strings.Join(list, ",")
	}
	if rules.IsSecret(name) && text != "" {
		return "(set)"
	}
	return text
}

func typeName(t reflect.Type) string {
	switch t.String() {
	case "[]string":
		return "list"
	case "bool":
		return "true or false"
	case "int":
		return "whole number"
	case "time.Duration":
		return "duration"
	}
	return "text"
}
