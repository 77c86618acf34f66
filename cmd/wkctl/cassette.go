package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A tape is the recorded traffic of a client's tests: go-vcr writes the body as a text and the status as "200 OK" with a code beside it;
// vcrpy writes a body of one member, a status of two and the address as uri.
type tape struct {
	Interactions []struct {
		Request struct {
			URL string `yaml:"url"`
			URI string `yaml:"uri"`
		} `yaml:"request"`
		Response struct {
			Body    yaml.Node            `yaml:"body"`
			Headers map[string]yaml.Node `yaml:"headers"`
			Status  yaml.Node            `yaml:"status"`
			Code    int                  `yaml:"code"`
		} `yaml:"response"`
	} `yaml:"interactions"`
}

var (
	errNotYAML        = errors.New("not YAML of a cassette")
	errNoInteractions = errors.New("no list of interactions")
	errBody           = errors.New("the recorded body is no text")
	errPacked         = errors.New("the packed body cannot be unpacked")
)

// cassette reads the interactions of a cassette.
func cassette(source string, raw []byte, found func(recording)) {
	var t tape
	if err := decodeTape(raw, &t); err != nil {
		found(recording{source: source, err: err})
		return
	}
	if len(t.Interactions) == 0 {
		found(recording{source: source, err: errNoInteractions})
		return
	}
	for i := range t.Interactions {
		in := &t.Interactions[i]
		r := recording{source: source, n: i + 1, url: in.Request.URL + in.Request.URI, status: in.Response.Code}
		if r.status == 0 {
			r.status = statusOf(&in.Response.Status)
		}
		r.date, _ = http.ParseTime(header(in.Response.Headers, "Date"))
		r.body, r.err = bodyOf(&in.Response.Body)
		found(r)
	}
}

// decodeTape does not pass on the library's words, which quote the file.
func decodeTape(raw []byte, t *tape) (err error) {
	defer func() {
		if recover() != nil { // a hostile file must not end the replay
			err = errNotYAML
		}
	}()
	if err := yaml.Unmarshal(raw, t); err != nil {
		return errNotYAML
	}
	return nil
}

// statusOf reads 200, "200 OK" or {code: 200}.
func statusOf(n *yaml.Node) int {
	if n.Kind == yaml.MappingNode {
		var inner struct {
			Code int `yaml:"code"`
		}
		_ = n.Decode(&inner) // a status of another shape is not known
		return inner.Code
	}
	first, _, _ := strings.Cut(n.Value, " ")
	code, _ := strconv.Atoi(first)
	return code
}

func header(headers map[string]yaml.Node, name string) string {
	for k, n := range headers {
		if !strings.EqualFold(k, name) {
			continue
		}
		if n.Kind == yaml.SequenceNode && len(n.Content) > 0 {
			return n.Content[0].Value
		}
		return n.Value
	}
	return ""
}

// bodyOf reads a body written as a text, as bytes, or as a member of its own, and unpacks it.
func bodyOf(n *yaml.Node) ([]byte, error) {
	if n.Kind == yaml.MappingNode {
		var inner struct {
			String yaml.Node `yaml:"string"`
		}
		if err := n.Decode(&inner); err != nil {
			return nil, errBody
		}
		return bodyOf(&inner.String)
	}
	if n.Kind == 0 || n.Tag == "!!null" {
		return nil, nil
	}
	var text string // a body marked as binary arrives here as its bytes
	if n.Kind != yaml.ScalarNode || n.Decode(&text) != nil {
		return nil, errBody
	}
	return unpacked([]byte(text))
}

// unpacked undoes gzip, which some recorders keep as it came. The limit holds for what comes out, too.
func unpacked(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, errPacked
	}
	out, err := io.ReadAll(io.LimitReader(z, mostBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errPacked, err)
	case len(out) > mostBytes:
		return nil, errTooLarge
	}
	return out, nil
}
