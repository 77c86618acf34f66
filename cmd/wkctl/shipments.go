package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
)

// A shipmentPick narrows the list of parcels.
type shipmentPick struct {
	pick
	anomaly, milestone string
}

func (p *shipmentPick) check() error {
	if err := oneOf("--anomaly", p.anomaly, sla.AnomalyKinds()); err != nil {
		return err
	}
	if err := oneOf("--milestone", p.milestone, sla.Milestones()); err != nil {
		return err
	}
	return p.pick.check()
}

// oneOf refuses a word that names none of the kinds; no word is fine.
func oneOf[T fmt.Stringer](flag, word string, kinds []T) error {
	if word == "" || slices.ContainsFunc(kinds, func(k T) bool { return k.String() == word }) {
		return nil
	}
	return usagef("%s %q: want one of %s", flag, clean(word), joinNames(kinds))
}

func (p *shipmentPick) takes(s sla.ShipmentRecord) bool {
	return (p.store == "" || string(s.Store) == p.store) &&
		(p.milestone == "" || s.Milestone.String() == p.milestone) &&
		(p.anomaly == "" || slices.Contains(anomalyNames(s.Anomalies), p.anomaly))
}

// A shipmentLine is a parcel as listed.
type shipmentLine struct {
	Parcel    string   `json:"parcel"`
	Store     string   `json:"store"`
	Number    string   `json:"number"`
	Carrier   words    `json:"carrier"`
	Order     words    `json:"order"`
	Milestone string   `json:"milestone"`
	Anomalies []string `json:"anomalies"`
	LastEvent instant  `json:"last_event"`
	Next      instant  `json:"next_look"`
}

func shipmentLineOf(s sla.ShipmentRecord) shipmentLine {
	return shipmentLine{
		Parcel: string(s.Store) + "/" + s.Ref.Key(), Store: string(s.Store), Number: s.Ref.Number, Order: words(s.Ref.Order),
		Carrier: words(cmp.Or(s.Ref.Carrier, s.Lane.Carrier)), Milestone: s.Milestone.String(),
		Anomalies: anomalyNames(s.Anomalies), LastEvent: instant{s.LastEvent}, Next: instant{s.Next},
	}
}

func anomalyNames(set sla.AnomalySet) []string {
	out := []string{}
	for _, k := range set.Kinds() {
		out = append(out, k.String())
	}
	return out
}

func (t *tool) shipmentsCommand() *cobra.Command {
	return group("shipments", "The parcels on record", t.shipmentsLs())
}

func (t *tool) shipmentsLs() *cobra.Command {
	var p shipmentPick
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List parcels, the longest silent first",
		Long:  "ls lists parcels with their milestone and what is wrong with them, the oldest scan first and those without any scan last.",
		Example: `  wkctl shipments ls --anomaly customs_held
  wkctl shipments ls --store T17 --milestone in_transit --limit 500 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.check(); err != nil {
				return err
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error { return t.listShipments(ctx, d, &p) })
		},
	}
	p.flags(cmd, "parcels")
	cmd.Flags().StringVar(&p.anomaly, "anomaly", "", "only those with this anomaly, for example customs_held")
	cmd.Flags().StringVar(&p.milestone, "milestone", "", "only those at this milestone, for example in_transit")
	return cmd
}

func (t *tool) listShipments(ctx context.Context, d *desk, p *shipmentPick) error {
	kept := newKeeper(p.limit, func(a, b shipmentLine) int {
		return cmp.Or(byTime(a.LastEvent, b.LastEvent), strings.Compare(a.Parcel, b.Parcel))
	})
	met := false
	err := d.EachShipment(ctx, func(s sla.ShipmentRecord) error {
		met = met || string(s.Store) == p.store
		if p.takes(s) {
			kept.offer(shipmentLineOf(s))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := p.absent(d.book, met); err != nil {
		return err
	}
	lines := kept.sorted()
	if err := d.rest(ctx, len(lines), kept.seen, "parcels"); err != nil {
		return err
	}
	return t.show(nonNil(lines), func(w io.Writer) {
		tab := newTable(w, "PARCEL", "MILESTONE", "ANOMALIES", "LAST EVENT", "SILENT", "NEXT LOOK", "ORDER")
		for _, l := range lines {
			tab.row(l.Parcel, l.Milestone, strings.Join(l.Anomalies, ","), l.LastEvent.String(), silent(l.LastEvent, d), l.Next.String(), string(l.Order))
		}
		tab.end()
	})
}

func silent(last instant, d *desk) string {
	if last.IsZero() {
		return ""
	}
	return span(d.now.Sub(last.Time))
}
