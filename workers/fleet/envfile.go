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
	"strconv"
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
	return ReadEnv(f, strconv.Quote(path))
}

// ReadEnv reads variables as ReadEnvFile does. Errors call the source by the name.
func ReadEnv(in io.Reader, name string) ([]string, error) {
	raw, err := io.ReadAll(io.LimitReader(in, mostEnvFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if len(raw) > mostEnvFile {
		return nil, fmt.Errorf("%s: larger than %d MB: it is no file of variables", name, mostEnvFile>>20)
	}
	entries, err := parseEnvFile(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return entries, nil
}

// parseEnvFile reads lines of NAME=value. Empty lines and those that begin with # say nothing, "export" before a name is left out, and
// pairs of quotes around a whole value go. Nothing else of a value is touched: no variable is put in, and a # in it is part of it. What is
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

// unquoted leaves out pairs of quotes around a whole value: all of them, so that a value that is read twice is the same.
func unquoted(value string) string {
	for len(value) > 1 && value[0] == value[len(value)-1] && (value[0] == '"' || value[0] == '\'') {
		value = value[1 : len(value)-1]
	}
	return value
}

// withoutQuotes is an environment whose values are as a file of variables has them: what starts a container may hand a line on with its quotes.
func withoutQuotes(environ []string) []string {
	out := slices.Clone(environ)
	for i, entry := range out {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, Prefix) {
			out[i] = name + "=" + unquoted(value)
		}
	}
	return out
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
