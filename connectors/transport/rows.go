package transport

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"watchkeeper/connectors"
)

// A RawRow is one element of a list as received, a part of the body it came from.
type RawRow []byte

// decoders are reused because a page of ten thousand rows would otherwise make as many of them.
var decoders sync.Pool

// lend runs f with a decoder of the bytes, without copying them. A name told twice or bytes that are not UTF-8 do not make a platform's
// reply unreadable: one cut emoji must not hide a page.
func lend(body []byte, f func(d *jsontext.Decoder)) {
	d, ok := decoders.Get().(*jsontext.Decoder)
	if !ok {
		d = new(jsontext.Decoder)
	}
	d.Reset(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	f(d)
	d.Reset(bytes.NewBuffer(nil)) // lets go of the body
	decoders.Put(d)
}

// SplitRows finds the list at a path of member names and gives each element's bytes, as parts of the body, without decoding them.
// A list that is absent, null, {} or wrapped in an object of one member is understood. The whole body is checked to be JSON: where it
// is broken the rows before that place are given with an error of kind Malformed.
func SplitRows(body []byte, path ...string) (rows []RawRow, err error) {
	lend(body, func(d *jsontext.Decoder) {
		s := splitter{d: d, body: body}
		if err = s.descend(path); err == nil {
			err = s.end()
		}
		rows = s.rows
	})
	return rows, err
}

type splitter struct {
	d    *jsontext.Decoder
	body []byte
	rows []RawRow
}

// malformed tells where, and nothing of what: the decoder's own words quote the body.
func (s *splitter) malformed(what string) error {
	return &connectors.Error{Op: "split rows", Kind: connectors.Malformed, Err: fmt.Errorf("%s near byte %d of %d", what, s.d.InputOffset(), len(s.body))}
}

func (s *splitter) end() error {
	if _, err := s.d.ReadToken(); !errors.Is(err, io.EOF) {
		return s.malformed("bytes after the reply")
	}
	return nil
}

func (s *splitter) skip() error {
	if _, err := s.d.ReadValue(); err != nil {
		return s.malformed("broken JSON")
	}
	return nil
}

// descend reads one value; the rows are at the path inside it.
func (s *splitter) descend(path []string) error {
	kind := s.d.PeekKind()
	switch {
	case kind == 'n':
		return s.skip()
	case kind == '[' && len(path) == 0:
		return s.array()
	case kind == '{' && len(path) == 0:
		return s.wrapper()
	case kind == '{':
		return s.members(path)
	}
	if err := s.skip(); err != nil {
		return err
	}
	return s.malformed("no list")
}

// members goes through an object and descends into the first member that the path names; a second of the same name is no second list.
func (s *splitter) members(path []string) error {
	found := false
	return s.object(func(name string) error {
		if found || name != path[0] {
			return s.skip()
		}
		found = true
		return s.descend(path[1:])
	})
}

// wrapper reads {} or {"any_name": [...]}.
func (s *splitter) wrapper() error {
	n := 0
	return s.object(func(string) error {
		if n++; n > 1 {
			return s.malformed("no list")
		}
		switch s.d.PeekKind() {
		case '[':
			return s.array()
		case 'n':
			return s.skip()
		}
		return s.malformed("no list")
	})
}

func (s *splitter) object(member func(name string) error) error {
	if _, err := s.d.ReadToken(); err != nil {
		return s.malformed("broken JSON")
	}
	for s.d.PeekKind() == '"' {
		token, err := s.d.ReadToken()
		if err != nil {
			return s.malformed("broken JSON")
		}
		if err := member(token.String()); err != nil {
			return err
		}
	}
	return s.close()
}

func (s *splitter) array() error {
	if _, err := s.d.ReadToken(); err != nil {
		return s.malformed("broken JSON")
	}
	for s.d.PeekKind() != ']' {
		v, err := s.d.ReadValue()
		if err != nil {
			return s.malformed("broken JSON")
		}
		end := int(s.d.InputOffset())
		s.rows = append(s.rows, s.body[end-len(v):end:end])
	}
	return s.close()
}

// close reads the end of an object or a list.
func (s *splitter) close() error {
	if _, err := s.d.ReadToken(); err != nil {
		return s.malformed("broken JSON")
	}
	return nil
}

// Member gives the bytes of a top-level member of a JSON object, as a part of them; what comes after it is not looked at. False when
// there is no such member, or it is null, or the bytes are no object. When a name is told twice the first counts.
func Member(raw []byte, name string) (value RawRow, ok bool) {
	lend(raw, func(d *jsontext.Decoder) {
		if !seek(d, name) || d.PeekKind() == 'n' {
			return
		}
		v, err := d.ReadValue()
		if err != nil {
			return
		}
		end := int(d.InputOffset())
		value, ok = raw[end-len(v):end:end], true
	})
	return value, ok
}

// Field gives a top-level scalar member of a JSON object as text: a string without its quotes, a number or truth value as written, so
// that ids above 2^53 survive. False where Member is, and for an object or a list.
func Field(raw []byte, name string) (value string, ok bool) {
	lend(raw, func(d *jsontext.Decoder) {
		if !seek(d, name) {
			return
		}
		switch d.PeekKind() {
		case '"', '0', 't', 'f':
			token, err := d.ReadToken()
			value, ok = token.String(), err == nil
		}
	})
	return value, ok
}

// Fields gives several top-level scalar members of a JSON object in one pass over it, in the order of the names; empty where Field says
// false. It is for lists: the pass costs as much as one Field of the last name.
func Fields(raw []byte, names ...string) []string {
	values := make([]string, len(names))
	lend(raw, func(d *jsontext.Decoder) {
		if d.PeekKind() != '{' {
			return
		}
		if _, err := d.ReadToken(); err != nil {
			return
		}
		for left := len(names); left > 0 && d.PeekKind() == '"'; {
			name, err := d.ReadValue()
			if err != nil {
				return
			}
			i := slices.IndexFunc(names, func(n string) bool { return string(name[1:len(name)-1]) == n })
			value, err := d.ReadValue()
			if err != nil {
				return
			}
			if i >= 0 && values[i] == "" {
				values[i] = scalar(value)
				left--
			}
		}
	})
	return values
}

// scalar is a JSON string without its quotes, or a number or truth value as written; empty for anything else.
func scalar(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		if !bytes.ContainsRune(v, '\\') {
			return string(v[1 : len(v)-1])
		}
		text, err := jsontext.AppendUnquote(nil, v)
		if err != nil {
			return ""
		}
		return string(text)
	case '0', 't', 'f':
		return string(v)
	}
	return ""
}

// seek goes to the value of a member.
func seek(d *jsontext.Decoder, name string) bool {
	if d.PeekKind() != '{' {
		return false
	}
	if _, err := d.ReadToken(); err != nil {
		return false
	}
	for d.PeekKind() == '"' {
		token, err := d.ReadToken()
		if err != nil {
			return false
		}
		if token.String() == name {
			return true
		}
		if _, err := d.ReadValue(); err != nil {
			return false
		}
	}
	return false
}
