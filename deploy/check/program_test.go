package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wkctl builds the operator's tool from the repository around this module, once.
var wkctl = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "wkctl")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", folder, "./cmd/wkctl")
	cmd.Dir = filepath.Join(deploy, "..")
	if said, err := cmd.CombinedOutput(); err != nil {
		return string(said), err
	}
	return filepath.Join(folder, "wkctl"), nil
})

func TestMain(m *testing.M) {
	m.Run()
	if tool, err := wkctl(); err == nil {
		_ = os.RemoveAll(filepath.Dir(tool)) // the system empties its folder some time
	}
}

// judge lets the program itself judge variables. The files that they name are made, with what such a file holds.
func judge(t *testing.T, env map[string]string) (string, bool) {
	t.Helper()
	tool, err := wkctl()
	if err != nil {
		t.Fatalf("build wkctl: %v\n%s", err, tool)
	}
	cmd := exec.CommandContext(t.Context(), tool, "config", "check")
	cmd.Env = []string{"HOME=" + t.TempDir()}
	folder := t.TempDir()
	for name, value := range env {
		if strings.HasPrefix(name, "WK_") && strings.HasSuffix(name, "_FILE") {
			file := filepath.Join(folder, filepath.Base(value))
			if err := os.WriteFile(file, contents(t, name), 0o600); err != nil {
				t.Fatal(err)
			}
			value = file
		}
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	said, err := cmd.CombinedOutput()
	return string(said), err == nil
}

// contents is what a file holds that a variable names.
func contents(t *testing.T, name string) []byte {
	t.Helper()
	switch {
	case strings.HasSuffix(name, "_URL_FILE"):
		return []byte("https://hooks.example.com/services/name\n")
	case strings.HasSuffix(name, "_CA_FILE"):
		return certificate(t)
	}
	return []byte(strings.Repeat("0123456789abcdef", 4) + "\n")
}

func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	of := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// envFiles are all files of variables, in the order in which they are laid over one another.
var envFiles = map[string][]string{
	"shadow":     {"base/rules.env", "overlays/shadow/rules.env"},
	"production": {"base/rules.env", "overlays/production/rules.env"},
	"kind":       {"base/rules.env", "overlays/kind/rules.env"},
	"compose":    {"compose/rules.env"},
}

// readEnv reads files of variables. With the lines that wait behind a # to be used, it reads those, too.
func readEnv(t *testing.T, files []string, waiting bool) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(filepath.Join(deploy, filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(raw)) {
			line = strings.TrimSpace(line)
			if waiting {
				if rest, ok := strings.CutPrefix(line, "# "); ok && strings.HasPrefix(rest, "WK_") {
					line = rest
				}
			}
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			name, value, ok := strings.Cut(line, "=")
			if !ok || !strings.HasPrefix(name, "WK_") || value == "" || strings.ContainsAny(value, `"' `) {
				t.Errorf("%s: %q is no line of variables that kustomize, compose and a shell read alike", file, line)
			}
			out[name] = value
		}
	}
	return out
}

func TestFilesOfVariablesAreWhatTheProgramTakes(t *testing.T) {
	t.Parallel()
	known, err := readPage()
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range envFiles {
		env := readEnv(t, files, true)
		for v := range env {
			if !known.knows(v) {
				t.Errorf("%s: %s is not in deploy/env.md", name, v)
			}
		}
		if said, ok := judge(t, env); !ok {
			t.Errorf("%s, with every line that waits behind a #: wkctl config check says:\n%s", name, said)
		}
		if len(readEnv(t, files, false)) == len(env) && name != "kind" {
			t.Errorf("%s: no line waits behind a #", name)
		}
	}
	var found []string
	for _, depth := range []string{"*/*.env", "*/*/*.env"} {
		there, err := filepath.Glob(filepath.Join(deploy, filepath.FromSlash(depth)))
		if err != nil || len(there) == 0 {
			t.Fatalf("no files %s: %v", depth, err)
		}
		found = append(found, there...)
	}
	for _, file := range found {
		rel, err := filepath.Rel(deploy, file)
		if err != nil {
			t.Fatal(err)
		}
		if !listed(filepath.ToSlash(rel)) {
			t.Errorf("%s is read by no test", rel)
		}
	}
}

func listed(file string) bool {
	for _, files := range envFiles {
		if slices.Contains(files, file) {
			return true
		}
	}
	return false
}

// What an installation gives its container is what the program takes, but for the stores, which are the operator's to name.
func TestTheProgramTakesWhatTheManifestsGive(t *testing.T) {
	t.Parallel()
	for name, s := range installations(t) {
		env := environment(s)
		delete(env, "GOMEMLIMIT") // filled in by Kubernetes
		if name != "overlays/kind" {
			env["WK_STORE__T17__PLATFORM"], env["WK_STORE__T17__API_KEY_FILE"] = "track17", "/secrets/t17-api-key"
		}
		if said, ok := judge(t, env); !ok {
			t.Errorf("%s: wkctl config check says:\n%s", name, said)
		}
		env["WK_SLA__STROM"] = "20/1h"
		if said, ok := judge(t, env); ok || !strings.Contains(said, "WK_SLA__STORM") {
			t.Errorf("%s: a misspelt variable was taken:\n%s", name, said)
		}
	}
}
