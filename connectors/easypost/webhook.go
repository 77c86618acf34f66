package easypost

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// SignatureHeader is where EasyPost puts the signature of a webhook body.
const SignatureHeader = "X-Hmac-Signature"

const signaturePrefix = "hmac-sha256-hex="

// SignedBy reports whether a webhook body carries the signature of the secret. The secret is brought to NFKD first, as EasyPost does; the body
// must be the bytes as received: written anew, a number such as 136.0 would differ. A newer scheme with a timestamp exists and
// is not understood. unsure: its form was found in client libraries only.
func SignedBy(secret string, body []byte, header string) bool {
	given, ok := strings.CutPrefix(strings.TrimSpace(header), signaturePrefix)
	sum, err := hex.DecodeString(given)
	if !ok || err != nil || secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(norm.NFKD.String(secret)))
	_, _ = mac.Write(body) // a hash's Write never fails
	return hmac.Equal(sum, mac.Sum(nil))
}
