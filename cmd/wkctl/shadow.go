package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/handle"
	"watchkeeper/workers/intake"
	"watchkeeper/workers/store"
)

func (t *tool) shadowCommand() *cobra.Command {
	return group("shadow", "What would have been sent, and what people did", t.shadowReport())
}

func (t *tool) shadowReport() *cobra.Command {
	var since, only string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Compare shadow decisions with what people did and what silence costs",
		Long: `report reads the shadow decisions of the audit and joins each with how its turn ended: by a person's hand, the buyer's or the platform's.
It counts money in turns that have ended. An offer counts in the turn in which it is made, ours and people's alike. Only answers are compared:
not where a person would have been called, nor turns that ended before the seller had said anything.`,
		Example: `  wkctl shadow report
  wkctl shadow report --since 7d --store AE01 -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ago, err := parseAgo("--since", since)
			if err != nil {
				return err
			}
			p := pick{store: only, limit: 1}
			if err := p.check(); err != nil {
				return err
			}
			return t.withRecords(cmd.Context(), func(ctx context.Context, d *desk) error { return t.reportShadow(ctx, d, &p, d.now.Add(-ago)) })
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "how far back to take decisions, for example 30d")
	cmd.Flags().StringVar(&only, "store", "", "only those of this store, for example AE01")
	return cmd
}

func (t *tool) reportShadow(ctx context.Context, d *desk, p *pick, since time.Time) error {
	r := newShadowReader(d.book, p.store)
	if err := d.EachAudit(ctx, since, r.hear); err != nil {
		return err
	}
	if err := p.absent(d.book, len(r.stores) > 0); err != nil {
		return err
	}
	v := r.view(since)
	return t.show(v, v.print)
}

// A shadowReader joins shadow decisions with the ends of their turns. The lines of one dispute come in order, so only turns that have not
// ended are held.
type shadowReader struct {
	only      string
	platforms map[sla.StoreID]sla.Platform
	open      map[string]shadowed // by case and turn
	stores    map[sla.StoreID]*shadowTally
	total     *shadowTally
	groups    map[sla.Platform]*shadowTally
}

func newShadowReader(b *rules.Book, only string) *shadowReader {
	r := &shadowReader{
		only: only, platforms: map[sla.StoreID]sla.Platform{}, open: map[string]shadowed{}, stores: map[sla.StoreID]*shadowTally{},
		total: newShadowTally(), groups: map[sla.Platform]*shadowTally{},
	}
	for _, s := range b.Stores() {
		r.platforms[s.ID] = s.Platform
	}
	return r
}

// hear takes one line of the audit; other events are of no interest here.
func (r *shadowReader) hear(kept store.AuditLine) error {
	id, err := sla.ParseDisputeID(kept.ID)
	if err != nil || r.only != "" && string(id.Store) != r.only {
		return nil //nolint:nilerr // a line without a case is not about one
	}
	if l, ok := decisionIn(kept); ok {
		if l.Event == handle.EventShadow {
			r.decided(id.Store, l)
		}
	} else if m, ok := moveIn(kept); ok {
		r.ended(id.Store, m)
	}
	return nil
}

// moveIn reads a line about the end of a turn; false when it is about something else or another version wrote it.
func moveIn(kept store.AuditLine) (intake.Moved, bool) {
	var m intake.Moved
	err := json.Unmarshal(kept.Line, &m)
	return m, err == nil && m.Event == intake.EventMoved
}

// decided takes a shadow decision. One that is told twice, as after a crash, counts once.
func (r *shadowReader) decided(id sla.StoreID, l handle.Line) {
	key := l.Case + " " + l.Turn
	if _, again := r.open[key]; again {
		return
	}
	d := shadowed{would: wouldDo(l), pays: wouldPay(l), facts: l.Facts}
	r.open[key] = d
	for _, t := range r.tallies(id) {
		t.decided(d.would)
	}
}

func (r *shadowReader) ended(id sla.StoreID, m intake.Moved) {
	key := m.Case + " " + m.Turn
	d, ours := r.open[key]
	if !ours {
		return
	}
	delete(r.open, key)
	for _, t := range r.tallies(id) {
		t.end(d, m)
	}
}

// tallies are those that a store counts in.
func (r *shadowReader) tallies(id sla.StoreID) []*shadowTally {
	p := r.platforms[id]
	if r.stores[id] == nil {
		r.stores[id] = newShadowTally()
	}
	if r.groups[p] == nil {
		r.groups[p] = newShadowTally()
	}
	return []*shadowTally{r.stores[id], r.groups[p], r.total}
}

// A shadowView is the report.
type shadowView struct {
	Since  instant      `json:"since"`
	Groups []shadowLine `json:"groups"` // each platform, followed by its stores
	Total  shadowLine   `json:"total"`
}

// A shadowLine is what became of the shadow decisions of one store, of one platform, or of all.
type shadowLine struct {
	Platform     words          `json:"platform"` // null when the store is not configured, and in the total
	Store        words          `json:"store"`
	Decisions    int            `json:"decisions"`
	Answers      map[string]int `json:"answers"`
	Paged        int            `json:"paged"` // a person would have been called
	Ended        int            `json:"ended"`
	Did          map[string]int `json:"ended_by"`
	Compared     int            `json:"compared"`
	Agreed       int            `json:"agreed"`
	ShadowPays   []money        `json:"shadow_pays"`
	PeoplePaid   []money        `json:"people_paid"`
	SilenceWould []money        `json:"silence_would_cost"`
	SilenceDid   []money        `json:"silence_did_cost"`
}

func (t *shadowTally) line(p sla.Platform, s sla.StoreID) shadowLine {
	return shadowLine{
		Platform: words(p), Store: words(s), Decisions: t.decisions, Answers: t.answers, Paged: t.answers[wouldPage], Ended: t.ended, Did: t.did,
		Compared: t.compared, Agreed: t.agreed, ShadowPays: t.shadowPays.list(), PeoplePaid: t.peoplePaid.list(),
		SilenceWould: t.silenceWould.list(), SilenceDid: t.silenceDid.list(),
	}
}

func (r *shadowReader) view(since time.Time) *shadowView {
	v := &shadowView{Since: instant{since}, Groups: []shadowLine{}, Total: r.total.line("", "")}
	for p, t := range r.groups {
		v.Groups = append(v.Groups, t.line(p, ""))
	}
	for id, t := range r.stores {
		v.Groups = append(v.Groups, t.line(r.platforms[id], id))
	}
	slices.SortFunc(v.Groups, func(a, b shadowLine) int {
		return cmp.Or(cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Store, b.Store))
	})
	return v
}

func (v *shadowView) print(w io.Writer) {
	if v.Total.Decisions == 0 {
		fmt.Fprintf(w, "no shadow decision is on record since %s\n", v.Since)
		return
	}
	tab := newTable(w, "PLATFORM", "STORE", "DECIDED", "ENDED", "AGREED", "PAGED", "SHADOW PAYS", "PEOPLE PAID", "SILENCE WOULD COST", "SILENCE DID COST")
	row := func(platform, id string, l shadowLine) {
		tab.row(platform, id, strconv.Itoa(l.Decisions), strconv.Itoa(l.Ended), agreement(l), strconv.Itoa(l.Paged),
			joinMoney(l.ShadowPays), joinMoney(l.PeoplePaid), joinMoney(l.SilenceWould), joinMoney(l.SilenceDid))
	}
	for _, l := range v.Groups {
		row(string(l.Platform), cmp.Or(string(l.Store), "all"), l)
	}
	row("all", "all", v.Total)
	tab.end()
	fmt.Fprintf(w, "\nwould have been done: %s\n", counts(v.Total.Answers))
	fmt.Fprintf(w, "turns ended by: %s\n", orNone(counts(v.Total.Did)))
}

// agreement is "7 of 9 (77%)".
func agreement(l shadowLine) string {
	if l.Compared == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d (%d%%)", l.Agreed, l.Compared, 100*l.Agreed/l.Compared)
}

// counts is "accept 3, offer 12".
func counts(by map[string]int) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, name+" "+strconv.Itoa(by[name]))
	}
	return strings.Join(out, ", ")
}
