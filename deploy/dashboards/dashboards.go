// Package dashboards declares Grafana's dashboards in Go, from which the files beside it are made. Each panel says in one sentence what to do
// when it is red, and which alerts' runbooks send their reader to it.
//
// It owns how a dashboard is laid out and drawn. That each query names metrics, labels and alerts that exist is held by the tests of
// deploy/alerts, and that Grafana and the cluster take the files by those of deploy/check. It imports nothing of ours.
package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:generate go run ./generate . ../chart/dashboards

// All are the dashboards, the one to begin with first.
func All() []Dashboard {
	others := []board{platforms(), parcels(), engine()}
	first := today(alertsOf(append(others, today(nil))))
	out := []Dashboard{first.build()}
	for _, b := range others {
		out = append(out, b.build())
	}
	return out
}

// alertsOf are the alerts that panels of the boards name.
func alertsOf(boards []board) []string {
	var out []string
	for _, b := range boards {
		for _, r := range b.rows {
			for _, p := range r.panels {
				out = append(out, p.alerts...)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// File is the name of the dashboard's file.
func (d *Dashboard) File() string { return strings.TrimPrefix(d.UID, tag+"-") + ".json" }

// JSON is what Grafana imports. Comparisons in queries stay readable.
func (d *Dashboard) JSON() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", d.UID, err)
	}
	return out.Bytes(), nil
}

// Write makes the files of all dashboards in each of the folders.
func Write(folders ...string) error {
	for _, d := range All() {
		raw, err := d.JSON()
		if err != nil {
			return err
		}
		for _, folder := range folders {
			if err := os.WriteFile(filepath.Join(folder, d.File()), raw, 0o644); err != nil { //nolint:gosec // everybody may read it
				return fmt.Errorf("dashboard %s: %w", d.UID, err)
			}
		}
	}
	return nil
}
