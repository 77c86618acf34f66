package aliexpress

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"watchkeeper/connectors"
	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
)

const (
	listMethod   = "aliexpress.issue.issuelist.get"
	detailMethod = "aliexpress.issue.detail.get"
)

// Seller is one shop: its feed of disputes, and the answers to them. It is safe for concurrent use.
type Seller struct {
	store    sla.StoreID
	appKey   string
	secret   *transport.SecretValue
	address  text
	settings settings
	client   *transport.Client
	tokens   *transport.Tokens
	now      func() time.Time
	known    *memory
}

var (
	_ connectors.Connector = (*Seller)(nil)
	_ connectors.Responder = (*Seller)(nil)

	_ connectors.Credentialed = (*Seller)(nil)
)

// query is the list call's query_dto [AE-cat].
type query struct {
	Page   int         `json:"current_page"`
	Size   int         `json:"page_size"`
	Status string      `json:"issue_status,omitempty"`
	Order  json.Number `json:"order_no,omitempty"` // the child order's
}

// list reads one page of the dispute list.
func (s *Seller) list(ctx context.Context, q query, subject string) (listing, error) {
	dto, err := json.Marshal(q)
	if err != nil {
		return listing{}, &connectors.Error{Op: operation(listMethod), Subject: subject, Kind: connectors.NotFound, Err: errors.New("no order number")}
	}
	var l listing
	_, err = s.call(ctx, request{
		method: listMethod, subject: subject, params: params{"query_dto": string(dto)},
		check: func(e envelope) (fault *connectors.Error) {
			l, fault = readList(e, q.Page)
			return fault
		},
	})
	return l, err
}

// Skew is the platform's clock minus ours, the median of the last calls.
func (s *Seller) Skew() time.Duration { return s.client.Skew() }

// Credential tells of the seller's token, without it.
func (s *Seller) Credential(ctx context.Context) (connectors.Credential, error) {
	return s.tokens.Credential(ctx)
}

// Fetch reads one page of the snapshot of all open disputes.
func (s *Seller) Fetch(ctx context.Context, since connectors.Cursor) (connectors.Page, error) {
	at := parsePlace(since.Token)
	l, err := s.list(ctx, query{Page: at.page, Size: pageSize, Status: "processing"}, string(s.store))
	if err != nil {
		return connectors.Page{}, err
	}
	page := connectors.Page{Kind: connectors.Snapshot, Skew: s.client.Skew()}
	for _, raw := range l.rows {
		row, buyer, ok := rowOf(raw)
		if !ok {
			page.Rejects = append(page.Rejects, rejectOf(raw))
			continue
		}
		s.known.learn(row.ID, known{buyer: buyer})
		page.Rows = append(page.Rows, row)
	}
	if next, more := at.next(l); more {
		page.More, page.Next = true, connectors.Cursor{Token: next.String()}
	}
	return page, nil
}

// Resolve reads the detail of a row: the list tells neither the deadline nor the proposals.
func (s *Seller) Resolve(ctx context.Context, row connectors.Row) (sla.Dispute, error) {
	var r summary
	ref := s.ref(row.ID, "")
	if json.Unmarshal(row.Raw, &r) != nil {
		return sla.Dispute{}, &connectors.Error{Op: "aliexpress row", Subject: s.subject(ref), Kind: connectors.Malformed, Err: errReply}
	}
	ref.Order = r.Order.id()
	s.known.learn(row.ID, r.known())
	return s.Lookup(ctx, ref)
}

// Lookup reads a dispute's detail, and where it is about a parcel the order's parcels.
func (s *Seller) Lookup(ctx context.Context, ref sla.DisputeRef) (sla.Dispute, error) {
	v, err := s.view(ctx, ref)
	if err != nil {
		return sla.Dispute{}, err
	}
	d := v.dispute(s.settings)
	if d.Reason == sla.ReasonNotReceived && d.State != sla.StateClosed {
		// A dispute without its parcels is still a dispute; but it must not look like one that has none.
		o, err := s.order(ctx, v)
		if d.Unread, d.Retry = err != nil, connectors.RetryAfter(err); err == nil {
			d.Shipments, d.Country = o.shipments(v.d.Parent.id()), o.country()
		}
	}
	return d, nil
}

// view reads a detail and what it means.
func (s *Seller) view(ctx context.Context, ref sla.DisputeRef) (*view, error) {
	k, err := s.identify(ctx, ref)
	if err != nil {
		return nil, err
	}
	var d *detail
	_, err = s.call(ctx, request{
		method: detailMethod, subject: s.subject(ref), params: params{"buyer_login_id": k.buyer, "issue_id": ref.ID.Native},
		check: func(e envelope) *connectors.Error {
			var unread error
			if d, unread = decodeDetail(e); unread != nil {
				return malformed()
			}
			return nil
		},
	})
	if err != nil {
		return nil, err
	}
	v := look(ref, d, k.reason)
	v.buyer = k.buyer
	s.known.learn(ref.ID.Native, known{parent: d.Parent.id(), reason: v.reason})
	return v, nil
}

// identify finds the buyer's login that each call wants. After a restart nobody remembers it, and the list tells it again by the order.
func (s *Seller) identify(ctx context.Context, ref sla.DisputeRef) (known, error) {
	if k, ok := s.known.get(ref.ID.Native); ok && k.buyer != "" {
		return k, nil
	}
	missing := &connectors.Error{Op: operation(listMethod), Subject: s.subject(ref), Kind: connectors.NotFound, Err: errors.New("the order does not list the dispute")}
	if text(ref.Order).id() == "" {
		return known{}, missing
	}
	// Whether no status means every status is unsure, so the closed ones are asked for by name when it does not.
	for _, status := range []string{"", "finish", "canceled_issue"} {
		l, err := s.list(ctx, query{Page: 1, Size: pageSize, Status: status, Order: json.Number(ref.Order)}, s.subject(ref))
		if err != nil {
			return known{}, err
		}
		for _, raw := range l.rows {
			var r summary
			if json.Unmarshal(raw, &r) == nil && string(r.ID) == ref.ID.Native && r.Buyer != "" {
				return s.known.learn(ref.ID.Native, r.known()), nil
			}
		}
	}
	return known{}, missing
}

func (r summary) known() known {
	return known{buyer: string(r.Buyer), parent: r.Parent.id(), reason: reasonOf(r.ReasonEnglish, r.ReasonChinese)}
}

func (s *Seller) ref(id, order string) sla.DisputeRef {
	return sla.DisputeRef{ID: sla.DisputeID{Platform: Name, Store: s.store, Native: id}, Order: order}
}
