package aliexpress

import (
	"encoding/json"

	"watchkeeper/connectors"
	"watchkeeper/sla"
)

// normaliseReply reads a recorded reply of the list or of a detail. A row tells less than a detail: neither who must move nor until
// when. A detail does not tell the list's id, but the proposals and the history in it do.
func normaliseReply(body []byte) ([]sla.Dispute, []sla.Shipment, []connectors.Reject, error) {
	for _, method := range []string{detailMethod, listMethod} {
		e, err := open(body, method)
		switch {
		case err != nil:
			return nil, nil, nil, recordedError(malformed())
		case e.refused != nil:
			return nil, nil, nil, recordedError(e.refused.fault(false))
		}
		if d, err := decodeDetail(e); err == nil {
			v := look(sla.DisputeRef{ID: sla.DisputeID{Platform: Name, Native: d.issue()}}, d, sla.ReasonUnknown)
			return []sla.Dispute{v.dispute(settings{})}, nil, nil, nil
		}
		if l, fault := readList(e, 1); fault == nil {
			disputes, rejects := l.recorded()
			return disputes, nil, rejects, nil
		}
	}
	return nil, nil, nil, recordedError(malformed())
}

func recordedError(e *connectors.Error) error {
	e.Op = "aliexpress recorded reply"
	return e
}

// issue is the id that the list has for a detail.
func (d *detail) issue() string {
	for _, p := range d.History {
		if id := p.Issue.id(); id != "" {
			return id
		}
	}
	for _, all := range []list[solution]{d.ByBuyer, d.BySeller, d.ByPlatform} {
		for _, s := range all {
			if id := s.Issue.id(); id != "" {
				return id
			}
		}
	}
	return d.ID.id()
}

// recorded reads the rows of a list.
func (l listing) recorded() (disputes []sla.Dispute, rejects []connectors.Reject) {
	for _, raw := range l.rows {
		row, _, ok := rowOf(raw)
		var r summary
		if !ok || json.Unmarshal(raw, &r) != nil {
			rejects = append(rejects, rejectOf(raw))
			continue
		}
		disputes = append(disputes, r.dispute(row.ID))
	}
	return disputes, rejects
}

func (r summary) dispute(id string) sla.Dispute {
	d := sla.Dispute{
		DisputeRef: sla.DisputeRef{ID: sla.DisputeID{Platform: Name, Native: id}, Order: r.Order.id()},
		Reason:     reasonOf(r.ReasonEnglish, r.ReasonChinese), Opened: instant(r.Created), Modified: instant(r.Modified),
	}
	switch r.Status.word() {
	case "finish":
		d.State, d.Closed.At = sla.StateClosed, d.Modified
	case "canceled_issue":
		d.State, d.Closed = sla.StateClosed, sla.Closing{At: d.Modified, By: sla.PartyBuyer}
	}
	return d
}
