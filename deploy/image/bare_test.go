package image_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// The most that the image may be, in bytes: as it lies on a machine, and as it is pulled.
const (
	mostUnpacked = 25e6
	mostPulled   = 15e6
)

// contents are the files of the image, and no more: one of the two programs is another name of the other.
var contents = []string{"etc/ssl/certs/ca-certificates.crt", "usr/local/bin/watchkeeper", "usr/local/bin/wkctl", "zoneinfo.zip"}

// A saved image is what "save" writes: the settings, and the files of all layers.
type saved struct {
	settings settings
	files    map[string]*tar.Header
	unpacked int64
	pulled   int64
}

type settings struct {
	Config struct {
		User       string            `json:"User"`
		Entrypoint []string          `json:"Entrypoint"`
		Cmd        []string          `json:"Cmd"`
		Env        []string          `json:"Env"`
		Labels     map[string]string `json:"Labels"`
	} `json:"config"`
}

func TestTheImageHoldsTheTwoProgramsAndNothingElse(t *testing.T) {
	t.Parallel()
	e := open(t)
	var s saved
	e.save(func(r io.Reader) (err error) {
		s, err = readImage(r)
		return err
	})
	t.Logf("%.1f MB, %.1f MB to pull", float64(s.unpacked)/1e6, float64(s.pulled)/1e6)
	if s.unpacked > mostUnpacked || s.pulled > mostPulled {
		t.Errorf("want at most %.0f MB, and %.0f MB to pull", mostUnpacked/1e6, mostPulled/1e6)
	}
	var files []string
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		h := s.files[name]
		if h.Typeflag != tar.TypeDir {
			files = append(files, name)
		}
		if special := int64(0o7022); h.Typeflag != tar.TypeSymlink && h.Mode&special != 0 {
			t.Errorf("%s has mode %o: others may write it, or it lends rights", name, h.Mode)
		}
		if len(h.PAXRecords["SCHILY.xattr.security.capability"]) > 0 {
			t.Errorf("%s lends capabilities", name)
		}
	}
	if !slices.Equal(files, contents) { // so there is no shell, either
		t.Errorf("want %v, got %v", contents, files)
	}
}

func TestTheImageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	e := open(t)
	var s saved
	e.save(func(r io.Reader) (err error) {
		s, err = readImage(r)
		return err
	})
	c := s.settings.Config
	if c.User != "65532:65532" {
		t.Errorf("runs as %q, which is not what the manifests say", c.User)
	}
	if !slices.Equal(c.Entrypoint, []string{"/usr/local/bin/watchkeeper"}) || len(c.Cmd) > 0 {
		t.Errorf("starts %q %q", c.Entrypoint, c.Cmd)
	}
	for _, label := range []string{"title", "description", "licenses", "version"} {
		if c.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("there is no label %s", label)
		}
	}
	for _, entry := range c.Env {
		if name, _, _ := strings.Cut(entry, "="); name != "PATH" && name != "ZONEINFO" {
			t.Errorf("the image sets %s", entry)
		}
	}
	version := c.Labels["org.opencontainers.image.version"]
	for _, program := range []string{"watchkeeper", "wkctl"} {
		said := e.say("run", "--rm", "--network", "none", "--read-only", "--entrypoint", "/usr/local/bin/"+program, e.image, "--version")
		if !strings.Contains(said, version) {
			t.Errorf("the label says %s, and %s says %q", version, program, said)
		}
	}
}

// readImage reads the archive of "save", of which every engine writes the same: manifest.json names the settings and the layers.
func readImage(r io.Reader) (saved, error) {
	parts := map[string][]byte{}
	if err := eachEntry(r, func(h *tar.Header, body io.Reader) error {
		raw, err := io.ReadAll(body)
		if h.Typeflag == tar.TypeSymlink || h.Typeflag == tar.TypeLink {
			return err // to a layer that is there twice
		}
		parts[path.Clean(h.Name)] = raw
		return err
	}); err != nil {
		return saved{}, err
	}
	var manifest []struct {
		Config string   `json:"Config"`
		Layers []string `json:"Layers"`
	}
	if err := json.Unmarshal(parts["manifest.json"], &manifest); err != nil {
		return saved{}, err
	}
	if len(manifest) != 1 {
		return saved{}, errors.New("want one image in the archive")
	}
	s := saved{files: map[string]*tar.Header{}}
	if err := json.Unmarshal(parts[path.Clean(manifest[0].Config)], &s.settings); err != nil {
		return saved{}, err
	}
	for _, name := range manifest[0].Layers {
		if err := s.addLayer(parts[path.Clean(name)]); err != nil {
			return saved{}, err
		}
	}
	return s, nil
}

func (s *saved) addLayer(raw []byte) error {
	plain, err := unzipped(raw)
	if err != nil {
		return err
	}
	var small bytes.Buffer
	z := gzip.NewWriter(&small)
	if _, err := z.Write(plain); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	s.pulled += int64(small.Len())
	return eachEntry(bytes.NewReader(plain), func(h *tar.Header, _ io.Reader) error {
		s.files[strings.Trim(path.Clean("/"+h.Name), "/")] = h
		s.unpacked += h.Size
		return nil
	})
}

// unzipped is a layer as it was before an engine packed it.
func unzipped(raw []byte) ([]byte, error) {
	if !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		return raw, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func eachEntry(r io.Reader, do func(*tar.Header, io.Reader) error) error {
	in := tar.NewReader(bufio.NewReader(r))
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := do(h, in); err != nil {
			return err
		}
	}
}
