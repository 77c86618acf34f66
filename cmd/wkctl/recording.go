package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mostBytes is how large a recording may be, as a file and unpacked.
const mostBytes = 64 << 20

var (
	errTooLarge  = fmt.Errorf("larger than %d MiB", mostBytes>>20)
	errNoFile    = errors.New("not a regular file")
	errKind      = errors.New("neither .json nor .yaml")
	errEmptyFile = errors.New("empty file")
)

// A recording is one recorded reply of a platform, or the reason why it cannot be read.
type recording struct {
	source string // the file as named by the caller
	n      int    // its number in the file, from 1; 0 of a bare body
	url    string // of the request; never printed, it may hold a token
	status int    // 0 when not recorded
	date   time.Time
	body   []byte
	err    error
}

// A recorder hands over recordings one after the other.
type recorder struct {
	stdin io.Reader
	found func(recording)
}

// path reads a file, or the recordings of a folder and the folders in it, in the order of their names. Symbolic links are not followed
// below the folder. Only a path that does not exist is an error: everything else that goes wrong is a recording that cannot be read.
func (r *recorder) path(path string) error {
	if path == "-" {
		r.content("-", r.stdin, "")
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return notFound("recording", path)
	case err == nil && info.IsDir():
		return filepath.WalkDir(path, r.visit)
	}
	r.file(path)
	return nil
}

func (r *recorder) visit(path string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		r.found(recording{source: path, err: reasonOf(err)})
	case !entry.IsDir() && kindOf(path) != "":
		r.file(path)
	}
	return nil
}

// kindOf says by its name what a file holds; nothing when it is no recording.
func kindOf(path string) string {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return "json"
	case ".yaml", ".yml":
		return "yaml"
	}
	return ""
}

func (r *recorder) file(path string) {
	fail := func(err error) { r.found(recording{source: path, err: err}) }
	kind := kindOf(path)
	if kind == "" {
		fail(errKind)
		return
	}
	// Opening a pipe would wait for whoever writes to it, so that the look comes first.
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		fail(errors.Join(reasonOf(err), map[bool]error{true: errNoFile}[err == nil]))
		return
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the files
	if err != nil {
		fail(reasonOf(err))
		return
	}
	defer f.Close() //nolint:errcheck // a file that was only read
	r.content(path, f, kind)
}

// content reads a whole source; without a kind its first byte tells, for a reply is an object or a list.
func (r *recorder) content(source string, in io.Reader, kind string) {
	raw, err := limited(in)
	if err != nil {
		r.found(recording{source: source, err: err})
		return
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	start := bytes.TrimSpace(raw)
	if kind == "" {
		kind = "yaml"
		if len(start) > 0 && (start[0] == '{' || start[0] == '[') {
			kind = "json"
		}
	}
	switch {
	case len(start) == 0:
		r.found(recording{source: source, err: errEmptyFile})
	case kind == "json":
		r.found(recording{source: source, body: raw})
	default:
		cassette(source, raw, r.found)
	}
}

func limited(in io.Reader) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(in, mostBytes+1))
	switch {
	case err != nil:
		return nil, reasonOf(err)
	case len(raw) > mostBytes:
		return nil, errTooLarge
	}
	return raw, nil
}

// reasonOf drops the path from an error about a file: the source is printed beside it.
func reasonOf(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
