package aliexpress

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// params are the text parameters of one call, raw: they are signed before they are escaped.
type params map[string]string

// sign is the platform's HMAC-SHA256 over all names and values in byte order of the names, without sign itself and without what is
// empty; a system call puts its path in front [AE1388].
func sign(secret, apiPath string, p params) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(base(apiPath, p)))
	return strings.ToUpper(hex.EncodeToString(mac.Sum(nil)))
}

func base(apiPath string, p params) string {
	var b strings.Builder
	b.WriteString(apiPath)
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if v := p[name]; v != "" && name != "sign" {
			b.WriteString(name)
			b.WriteString(v)
		}
	}
	return b.String()
}

// form is the body to send: exactly the parameters that were signed, and the signature.
func form(secret, apiPath string, p params) []byte {
	values := url.Values{}
	for name, v := range p {
		if v != "" {
			values.Set(name, v)
		}
	}
	values.Set("sign", sign(secret, apiPath, p))
	return []byte(values.Encode())
}
