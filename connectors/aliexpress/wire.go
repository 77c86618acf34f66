package aliexpress

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"watchkeeper/sla"
)

// text is a scalar as the platform writes it, be it a string, a number or a truth value: identifiers above 2^53 and money keep every
// digit. Stray NUL characters and blanks around it are gone [AE-cat]; what is no scalar is empty.
type text string

// UnmarshalJSON takes any JSON value.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = ""
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[' || b[0] == 'n':
		return nil
	case b[0] != '"':
		*t = text(b)
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return errors.New("text: broken string")
	}
	*t = text(clean(s))
	return nil
}

func clean(s string) string {
	return strings.TrimSpace(strings.ReplaceAll(s, "\x00", ""))
}

// word is the text in lower case, to compare with the platform's own words: their case varies in the documents.
func (t text) word() string { return strings.ToLower(string(t)) }

// id is the text if it is an identifier, else empty. Pseudo proposals of the platform have negative ones.
func (t text) id() string {
	n, err := strconv.ParseInt(string(t), 10, 64)
	if err != nil || n == 0 || strconv.FormatInt(n, 10) != string(t) {
		return ""
	}
	return string(t)
}

// number is the text as a small count, 0 when it is none.
func (t text) number() int {
	n, err := strconv.ParseInt(string(t), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return int(n)
}

// money is an amount of the platform; false when it cannot be read or is less than nothing.
func money(amount, currency text) (sla.Money, bool) {
	m, err := sla.ParseMoney(string(amount), string(currency))
	if err != nil || m.Minor < 0 {
		return sla.Money{}, false
	}
	return m, true
}

// list is a list in any of the platform's shapes: [...], {"any_name": [...]}, {} or null. Anything else is an error: a proposal that
// is silently left out could cost money.
type list[T any] []T

var errList = errors.New("list: want objects in a list")

// UnmarshalJSON takes each of the shapes.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	if len(b) > 0 && b[0] == '{' {
		var wrapper map[string]json.RawMessage
		if err := json.Unmarshal(b, &wrapper); err != nil || len(wrapper) > 1 {
			return errList
		}
		b = nil
		for _, inner := range wrapper {
			b = inner
		}
	}
	if len(b) == 0 || bytes.Equal(b, []byte("null")) {
		return nil
	}
	var elements []json.RawMessage
	if json.Unmarshal(b, &elements) != nil {
		return errList
	}
	for _, e := range elements {
		var v T
		if len(e) == 0 || e[0] != '{' || json.Unmarshal(e, &v) != nil {
			return errList
		}
		*l = append(*l, v)
	}
	return nil
}

// summary is one row of the dispute list [AE-cat].
type summary struct {
	ID            text `json:"issue_id"`
	Order         text `json:"order_id"`
	Parent        text `json:"parent_order_id"`
	Buyer         text `json:"buyer_login_id"`
	Status        text `json:"issue_status"`
	Created       text `json:"gmt_create"`
	Modified      text `json:"gmt_modified"`
	ReasonChinese text `json:"reason_chinese"`
	ReasonEnglish text `json:"reason_english"`
}

// detail is one dispute in full [AE-cat]. Its own id can differ from the list's and is read for recorded replies only.
type detail struct {
	ID          text           `json:"id"`
	Order       text           `json:"order_id"`
	Parent      text           `json:"parent_order_id"`
	Buyer       text           `json:"buyer_login_id"`
	Status      text           `json:"issue_status"`
	Phase       text           `json:"reverse_detail_status"`
	Reason      text           `json:"issue_reason"`
	Max         text           `json:"refund_money_max"`
	MaxCurrency text           `json:"refund_money_max_currency"`
	Created     text           `json:"gmt_create"`
	TimeoutType text           `json:"timeout_type"`
	TimeoutAt   text           `json:"timeout_trigger_time"`
	ByBuyer     list[solution] `json:"buyer_solution_list"`
	BySeller    list[solution] `json:"seller_solution_list"`
	ByPlatform  list[solution] `json:"platform_solution_list"`
	History     list[process]  `json:"process_dto_list"`
}

// solution is one proposal. Its text stays with the platform.
type solution struct {
	ID             text `json:"id"`
	Issue          text `json:"issue_id"`
	Type           text `json:"solution_type"`
	Status         text `json:"status"`
	Version        text `json:"version"`
	Refund         text `json:"refund_money"`
	RefundCurrency text `json:"refund_money_currency"`
	Post           text `json:"refund_money_post"`
	PostCurrency   text `json:"refund_money_post_currency"`
	ReachedType    text `json:"reached_type"`
	ReachedAt      text `json:"reached_time"`
	SellerAccepted text `json:"seller_accept_time"`
	Created        text `json:"gmt_create"`
	Modified       text `json:"gmt_modified"`

	platform bool // from the platform's list
}

// process is one line of a dispute's history. Its text stays with the platform.
type process struct {
	Issue   text `json:"issue_id"`
	Action  text `json:"action_type"`
	Created text `json:"gmt_create"`
}
