package fleet

import (
	"fmt"
	"strings"

	"watchkeeper/connectors/transport"
)

// Vault says how the tokens of platforms are sealed before they are stored.
type Vault struct {
	// KeyFile names a file of keys, one a line: the first seals, all open. Not set: each connector seals with a secret of its own.
	KeyFile string `env:"KEY_FILE"`
}

// minVaultKey is 128 bits in hexadecimal digits, or 192 in base64.
const minVaultKey = 32

// keys reads the keys; none without a file.
func (v Vault) keys() ([][]byte, error) {
	if v.KeyFile == "" {
		return nil, nil
	}
	text, err := transport.SecretFile(v.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("WK_VAULT__KEY_FILE: %w", err)
	}
	var out [][]byte
	for line := range strings.Lines(text) {
		key := strings.TrimSpace(line)
		switch {
		case key == "":
		case len(key) < minVaultKey:
			return nil, fmt.Errorf("WK_VAULT__KEY_FILE: a line is shorter than %d characters; make one with: openssl rand -hex 32", minVaultKey)
		default:
			out = append(out, []byte(key))
		}
	}
	return out, nil
}
