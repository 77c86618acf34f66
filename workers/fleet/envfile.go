package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// mostEnvFile is how large a file of variables may be.
const mostEnvFile = 4 << 20

// variableInFile is what a file may set: the names that a shell takes.
var variableInFile = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// ReadEnvFile reads a file of variables as entries of an environment.
func ReadEnvFile(path string) ([]string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, mostEnvFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(raw) > mostEnvFile {
		return nil, fmt.Errorf("%q: larger than %d MB: it is no file of variables", path, mostEnvFile>>20)
	}
	entries, err := parseEnvFile(raw)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return entries, nil
}

// parseEnvFile reads lines of NAME=value. Empty lines and those that begin with # say nothing, "export" before a name is left out, and one
// pair of quotes around a whole value goes. Nothing else of a value is touched: no variable is put in, and a # in it is part of it. What is
// wrong is told by line and name, never by value, which may be a secret, nor by what stands for a name and may be the rest of a value of
// several lines; all of it at once.
func parseEnvFile(raw []byte) ([]string, error) {
	var out []string
	var errs []error
	first := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))))
	lines.Buffer(nil, mostEnvFile+1)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if rest, exported := strings.CutPrefix(name, "export "); exported {
			name = rest
		}
		name = strings.TrimSpace(name)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("line %d: want NAME=value", n))
		case !variableInFile.MatchString(name):
			errs = append(errs, notName(n, name))
		case first[name] > 0:
			errs = append(errs, twice(n, name, first[name]))
		default:
			first[name] = n
			out = append(out, name+"="+unquoted(strings.TrimSpace(value)))
		}
	}
	return out, errors.Join(append(errs, lines.Err())...)
}

// ours is what can only be meant as a name of ours: anything else before a "=" may be a line of a private key, which ends in one.
var ours = regexp.MustCompile(`^WK[A-Z0-9_-]{0,59}$`)

func notName(line int, name string) error {
	if ours.MatchString(name) {
		return fmt.Errorf("line %d: %q is no name of a variable", line, name)
	}
	return fmt.Errorf("line %d: no name of a variable before the \"=\"; a value is one line", line)
}

func twice(line int, name string, first int) error {
	if strings.HasPrefix(name, Prefix) {
		return fmt.Errorf("line %d: %s is set on line %d, too", line, name, first)
	}
	return fmt.Errorf("line %d: the name before the \"=\" is set on line %d, too", line, first)
}

func unquoted(value string) string {
	for _, quote := range []string{`"`, `'`} {
		if len(value) > 1 && strings.HasPrefix(value, quote) && strings.HasSuffix(value, quote) {
			return value[1 : len(value)-1]
		}
	}
	return value
}

// RuleNouns begin the names of the variables that are rules.
var RuleNouns = []string{Prefix + "SLA__", Prefix + "SHIPMENT__", Prefix + "CALENDAR__"}

// WithRules is the environment with the rules of another: its variables of rules take the place of all of ours, whatever else it sets
// takes the place of ours by the name.
func WithRules(environ, other []string) []string {
	set := map[string]bool{}
	for _, entry := range other {
		name, _, _ := strings.Cut(entry, "=")
		set[name] = true
	}
	out := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return set[name] || slices.ContainsFunc(RuleNouns, func(noun string) bool { return strings.HasPrefix(name, noun) })
	})
	return append(out, other...)
}
