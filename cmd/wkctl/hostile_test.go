package main

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unicode"
)

// hostiles makes a folder of files that mean no good.
func hostiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, body []byte) { must(t, os.WriteFile(filepath.Join(dir, name), body, 0o600)) }
	huge, err := os.Create(filepath.Join(dir, "huge.json"))
	must(t, err)
	must(t, huge.Truncate(mostBytes+1))
	must(t, huge.Close())
	must(t, syscall.Mkfifo(filepath.Join(dir, "pipe.json"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "folder.json"), 0o700))
	must(t, os.Symlink(dir, filepath.Join(dir, "folder.json", "loop")))
	must(t, os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "dangling.yaml")))
	write("deep.json", []byte(strings.Repeat("[", 1_000_000)))
	write("deep.yaml", []byte("interactions: "+strings.Repeat("[", 100_000)))
	bomb := []byte("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		bomb = fmt.Appendf(bomb, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), ","))
	}
	write("aliases.yaml", append(bomb, "interactions: *j\n"...))
	write("control.json", []byte("\x00\x01\x1b[2J"))
	write("\x1b[31mred\nname.json", []byte("nope"))
	write("utf8.yaml", []byte("interactions:\n- request: {url: 'http://\xff\xfe'}\n  response: {body: '\xff'}\n"))
	write("marked.json", append([]byte("\xef\xbb\xbf"), `{"tracking_code":"EZ1","carrier":"USPS","status":"in_transit"}`...))
	write("shape.yaml", []byte("interactions:\n- request: 7\n- response: {body: [1], status: [], code: x}\n"))
	write("list.yaml", []byte("interactions:\n- request: {}\n  response: {body: [1], status: []}\n- {}\n"))
	write("zip.yaml", []byte("interactions:\n- response: {body: {string: !!binary "+packed(t, bytes.Repeat([]byte(" "), mostBytes+1))+"}}\n"))
	write("torn.yaml", []byte("interactions:\n- response: {body: !!binary H4sIAAAA}\n"))
	return dir
}

func packed(t *testing.T, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(body)
	must(t, err)
	must(t, z.Close())
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func TestHostileFilesAreListedAndStopNothing(t *testing.T) {
	t.Parallel()
	got := invoke(t, nil, nil, "replay", hostiles(t))
	got.want(t, exitOK)
	for _, want := range [][]string{
		{"huge.json", "larger than 64 MiB"},
		{"pipe.json", "not a regular file"},
		{"dangling.yaml", "no such file"},
		{"deep.json", "not JSON"},
		{"deep.yaml", "not YAML"},
		{"aliases.yaml", "not YAML"},
		{"control.json", "not JSON"},
		{"utf8.yaml", "not YAML"},
		{"shape.yaml", "not YAML"},
		{"list.yaml#1", "the recorded body is no text"},
		{"list.yaml#2", "empty body"},
		{"zip.yaml#1", "larger than 64 MiB"},
		{"torn.yaml#1", "cannot be unpacked"},
		{"?[31mred?name.json", "not JSON"},
		{"marked.json", "EZ1", "in_transit"},
	} {
		if !lineWith(got.out, want...) {
			t.Errorf("no line has all of %v in:\n%s", want, got.out)
		}
	}
	for _, r := range got.out {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("a control character reached the terminal: %q", r)
		}
	}
}

func TestANamedFileThatIsNoRecordingIsListed(t *testing.T) {
	t.Parallel()
	invoke(t, nil, nil, "replay", "testdata/replay/ignored.txt", "testdata/replay/govcr_v2.yml").
		want(t, exitOK, "neither .json nor .yaml", "EZ2000000004", "1 unreadable")
}

func FuzzACassetteNeverBreaksTheReplay(f *testing.F) {
	for _, name := range []string{"govcr.yaml", "vcrpy.yaml", "govcr_v2.yml", "broken.yaml", "other.yaml"} {
		raw, err := os.ReadFile(filepath.Join("testdata", "replay", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := 0
		cassette("x", raw, func(r recording) {
			n++
			if r.err == nil && r.n != n {
				t.Errorf("interaction %d is given as number %d", n, r.n)
			}
			updated(r.body)
			if shown := clean(string(r.body)); strings.ContainsAny(shown, "\n\x1b") {
				t.Errorf("not clean: %q", shown)
			}
		})
		if n == 0 {
			t.Error("a file must give a recording or a reason")
		}
	})
}
