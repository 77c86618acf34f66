package aliexpress

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"watchkeeper/connectors/transport"
)

// errReply is said of every reply that is not what the method answers; the words of the decoder would quote it.
var errReply = errors.New("the reply is not understood")

// envelope is a reply taken out of its wrappers.
type envelope struct {
	params  []byte // the object that holds the method's own response
	request string // the platform's request id
	refused *refusal
	found   []field // the members of params
}

// field is one member of an object, its value as it was received.
type field struct {
	name  string
	value []byte
}

// refusal is the platform's error, in either of its shapes.
type refusal struct {
	Code    text `json:"code"`
	Type    text `json:"type"`
	Sub     text `json:"sub_code"`
	Msg     text `json:"msg"`
	Message text `json:"message"`
}

// open takes a reply apart: the wrapper named after the method and the result level inside it are both optional, since documents and
// clients disagree about them for each method (unsure; AE-cat, ae_sdk). It goes through the whole body once, and once more for each
// wrapper.
func open(body []byte, method string) (envelope, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !transport.LooksJSON(body) {
		return envelope{}, errReply
	}
	wrapper := strings.ReplaceAll(method, ".", "_") + "_response"
	e := envelope{params: body}
	var top refusal
	for depth := range 3 {
		var inner []byte
		e.found = e.found[:0]
		err := members(e.params, func(name string, value []byte) error {
			e.found = append(e.found, field{name, value})
			switch name {
			case "error_response":
				e.refused = new(refusal)
				return json.Unmarshal(value, e.refused)
			case "code", "type", "message", "sub_code":
				if depth == 0 {
					top.set(name, text(scalar(value)))
				}
			case "request_id":
				if id := scalar(value); e.request == "" {
					e.request = id
				}
			case wrapper, "result":
				if value[0] == '{' {
					inner = value
				}
			}
			return nil
		})
		if err != nil {
			return envelope{}, errReply
		}
		if inner == nil {
			break
		}
		e.params = inner
	}
	if e.refused == nil && top.Code != "" && top.Code != "0" && (top.Type != "" || top.Message != "") {
		e.refused = &top
	}
	return e, nil
}

func (r *refusal) set(name string, v text) {
	switch name {
	case "code":
		r.Code = v
	case "type":
		r.Type = v
	case "sub_code":
		r.Sub = v
	default:
		r.Message = v
	}
}

// scalar is a raw JSON value as text.
func scalar(value []byte) string {
	var t text
	if t.UnmarshalJSON(value) != nil {
		return ""
	}
	return string(t)
}

// members visits the members of a JSON object, which must be all that raw holds. A name told twice or bytes that are no UTF-8 do not
// make a reply unreadable.
func members(raw []byte, visit func(name string, value []byte) error) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return errReply
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return errReply
		}
		name := token.String()
		value, err := d.ReadValue()
		if err != nil {
			return errReply
		}
		end := int(d.InputOffset())
		if err := visit(name, raw[end-len(value):end]); err != nil {
			return err
		}
	}
	if _, err := d.ReadToken(); err != nil {
		return errReply
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errReply
	}
	return nil
}

// member finds one member of the reply, as it was received.
func (e envelope) member(name string) ([]byte, bool) {
	i := slices.IndexFunc(e.found, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil, false
	}
	return e.found[i].value, true
}
