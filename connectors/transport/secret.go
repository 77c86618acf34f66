package transport

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sethvargo/go-envconfig"
)

// maxSecret is the largest secret: a file that is larger is not one.
const maxSecret = 64 << 10

// A SecretValue is a secret from the environment or a file. It never prints itself.
type SecretValue struct {
	path string // empty: the value is fixed

	mu    sync.Mutex
	value string
	mtime time.Time
	size  int64
}

// Secret reads the secret that the variable NAME holds or the file that NAME_FILE names. Exactly one must be set. Errors name the
// variables, never the value.
func Secret(env envconfig.Lookuper, name string) (*SecretValue, error) {
	value, inline := env.Lookup(name)
	path, file := env.Lookup(name + "_FILE")
	full := variable(env, name)
	switch {
	case inline && file:
		return nil, fmt.Errorf("%s and %s_FILE: set one, not both", full, full)
	case !inline && !file:
		return nil, fmt.Errorf("%s or %s_FILE: required", full, full)
	case inline:
		value, err := checkSecret(value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", full, err)
		}
		return &SecretValue{value: value}, nil
	case path == "":
		return nil, fmt.Errorf("%s_FILE: empty", full)
	}
	s := &SecretValue{path: path}
	if err := s.reread(); err != nil {
		return nil, fmt.Errorf("%s_FILE: %w", full, err)
	}
	return s, nil
}

// variable is the name that the operator sees: the lookuper's prefix belongs to it.
func variable(env envconfig.Lookuper, name string) string {
	if k, ok := env.(interface{ Key(name string) string }); ok {
		return k.Key(name)
	}
	return name
}

func checkSecret(raw string) (string, error) {
	value := strings.TrimSuffix(strings.TrimSuffix(raw, "\n"), "\r")
	switch {
	case strings.TrimSpace(value) == "":
		return "", errors.New("empty")
	case !utf8.ValidString(value):
		return "", errors.New("not UTF-8")
	case len(value) > maxSecret:
		return "", errors.New("too large")
	}
	return value, nil
}

// Value is the secret as it is now: its file is read again when it has changed. While the new file cannot be read or holds no
// secret (it is being written, say) the last good value stays.
func (s *SecretValue) Value() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.path != "" {
		_ = s.reread() // the last good value is the answer to any error
	}
	return s.value
}

func (s *SecretValue) reread() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return unreadable(s.path, err)
	}
	if s.value != "" && info.ModTime().Equal(s.mtime) && info.Size() == s.size {
		return nil
	}
	raw, err := readSmall(s.path)
	if err != nil {
		return err
	}
	value, err := checkSecret(raw)
	if err != nil {
		return err
	}
	s.value, s.mtime, s.size = value, info.ModTime(), info.Size()
	return nil
}

const hidden = "[secret]"

// String hides the secret.
func (s *SecretValue) String() string { return hidden }

// GoString hides the secret.
func (s *SecretValue) GoString() string { return hidden }

// MarshalJSON hides the secret.
func (s *SecretValue) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }
