// Package alerts has the alerting rules, and makes of them what the Prometheus Operator and the chart take. The file rules.yaml is what Prometheus loads
// and promtool tests; everything else is made from it.
package alerts

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
)

//go:generate go run ./generate ../base/prometheusrule.yaml ../chart/rules.yaml

// Rules is the file for Prometheus.
//
//go:embed rules.yaml
var Rules []byte

const head = `# Made from ../alerts/rules.yaml: make generate.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: watchkeeper
  labels:
    app.kubernetes.io/name: watchkeeper
spec:
`

var errNoGroups = errors.New("the rules have no groups")

// Groups are the rules without the comment before them: the spec of a PrometheusRule.
func Groups() ([]byte, error) {
	at := bytes.Index(Rules, []byte("\ngroups:\n"))
	if at < 0 {
		return nil, errNoGroups
	}
	return Rules[at+1:], nil
}

// Object is the PrometheusRule that holds the rules.
func Object() ([]byte, error) {
	groups, err := Groups()
	if err != nil {
		return nil, err
	}
	out := []byte(head)
	for line := range bytes.Lines(groups) {
		if len(bytes.TrimSpace(line)) > 0 {
			out = append(out, "  "...)
		}
		out = append(out, line...)
	}
	return out, nil
}

// Write writes the object into one file and the groups into another.
func Write(object, groups string) error {
	whole, err := Object()
	if err != nil {
		return err
	}
	part, err := Groups()
	if err != nil {
		return err
	}
	part = append([]byte("# Made from ../alerts/rules.yaml: make generate.\n"), part...)
	for file, text := range map[string][]byte{object: whole, groups: part} {
		if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // everybody may read it
			return fmt.Errorf("write the rules: %w", err)
		}
	}
	return nil
}
