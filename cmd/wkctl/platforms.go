package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"watchkeeper/connectors"
	"watchkeeper/sla/rules"
)

// A platformView is what a platform can and cannot do.
type platformView struct {
	Platform  string   `json:"platform"`
	Disputes  bool     `json:"disputes"`
	Shipments bool     `json:"shipments"`
	Deadlines bool     `json:"deadlines"`
	Webhooks  bool     `json:"webhooks"`
	Replay    bool     `json:"replay"`
	BatchSize int      `json:"batch_size"`
	Poll      string   `json:"poll"`
	Answers   []string `json:"answers"`
	Variables []string `json:"variables"`
	Notes     []string `json:"notes"`
}

func platformViewOf(p connectors.Platform) platformView {
	c := p.Capabilities
	v := platformView{
		Platform: string(p.Name), Disputes: c.Disputes, Shipments: c.Shipments, Deadlines: c.Deadlines, Webhooks: c.Webhooks,
		Replay: p.NormaliseReply != nil, BatchSize: c.BatchSize, Poll: rules.FormatDuration(p.Poll), Answers: answersOf(c.Answers),
		Variables: []string{}, Notes: nonNil(c.Notes),
	}
	for _, name := range p.Variables {
		v.Variables = append(v.Variables, "WK_STORE__<STORE>__"+name)
	}
	return v
}

func (t *tool) platformsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "platforms",
		Short: "What each platform can and cannot do, its variables, and what to know",
		Example: `  wkctl platforms
  wkctl platforms -o json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			views := []platformView{}
			for _, name := range t.registry.Names() {
				p, err := t.registry.Get(name)
				if err != nil {
					return err
				}
				views = append(views, platformViewOf(p))
			}
			return t.show(views, func(w io.Writer) { printPlatforms(w, views) })
		},
	}
}

func printPlatforms(w io.Writer, views []platformView) {
	tab := newTable(w, "PLATFORM", "DISPUTES", "SHIPMENTS", "DEADLINES", "WEBHOOKS", "REPLAY", "BATCH", "POLL", "ANSWERS")
	for _, v := range views {
		tab.row(v.Platform, yes(v.Disputes), yes(v.Shipments), yes(v.Deadlines), yes(v.Webhooks), yes(v.Replay), strconv.Itoa(v.BatchSize), v.Poll,
			strings.Join(v.Answers, ","))
	}
	tab.end()
	for _, v := range views {
		fmt.Fprintf(w, "\n%s\n", v.Platform)
		for _, name := range v.Variables {
			fmt.Fprintf(w, "  %s\n", name)
		}
		for _, note := range v.Notes {
			fmt.Fprintf(w, "  - %s\n", note)
		}
	}
}
