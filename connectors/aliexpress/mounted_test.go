package aliexpress

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mount lays secrets out as Kubernetes does: each name points into the folder ..data, which is exchanged as a whole when one of them changes. Nobody
// may write there.
func mount(t *testing.T, folder, generation string, secrets map[string]string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Chmod(folder, 0o700))
	inside := filepath.Join(folder, generation)
	must(os.Mkdir(inside, 0o700))
	for name, value := range secrets {
		must(os.WriteFile(filepath.Join(inside, name), []byte(value+"\n"), 0o400))
		if _, err := os.Lstat(filepath.Join(folder, name)); err != nil {
			must(os.Symlink(filepath.Join("..data", name), filepath.Join(folder, name)))
		}
	}
	must(os.Symlink(generation, filepath.Join(folder, "..next")))
	must(os.Rename(filepath.Join(folder, "..next"), filepath.Join(folder, "..data")))
	must(os.Chmod(inside, 0o500))
	must(os.Chmod(folder, 0o500))
	t.Cleanup(func() { _, _ = os.Chmod(folder, 0o700), os.Chmod(inside, 0o700) })
}

// held is what lies in a folder, and what it says.
func held(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			raw, err := os.ReadFile(path)
			out[path] = string(raw)
			return err
		}
		out[path] = d.Type().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A refresh token that the platform renews goes to the vault: where the first one was read nothing can be written.
func TestMountedSecretsAreReadAgainWhenTheyChangeAndNeverWritten(t *testing.T) {
	t.Parallel()
	p, folder := newShop(t), t.TempDir()
	p.shows(sample(nil))
	mount(t, folder, "..1", map[string]string{"app-secret": demoSecret, "access-token": demoAccess, "refresh-token": demoRefresh})
	before := held(t, folder)
	at := func(name string) string { return filepath.Join(folder, name) }
	s := p.seller("APP_SECRET", "", "APP_SECRET_FILE", at("app-secret"), "ACCESS_TOKEN", "", "ACCESS_TOKEN_FILE", at("access-token"),
		"REFRESH_TOKEN", "", "REFRESH_TOKEN_FILE", at("refresh-token"))
	p.fetchOne(s)
	p.revoke()
	if p.fetchOne(s); p.grants != 1 {
		t.Errorf("want the token renewed, got %d renewals", p.grants)
	}
	if after := held(t, folder); !maps.Equal(before, after) {
		t.Error("something was written where the secrets are")
	}
	other := strings.Repeat("another-secret-", 2)
	p.mu.Lock()
	p.secret = other
	p.mu.Unlock()
	mount(t, folder, "..2", map[string]string{"app-secret": other, "access-token": demoAccess, "refresh-token": demoRefresh})
	p.fetchOne(s) // the platform looks at the signature
}
