package transport

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"watchkeeper/sla"
)

const (
	minSealKey  = 16
	sealVersion = 1 // first byte of a blob
)

// sealer encrypts a store's token; a blob opens only with the same secret and for the same store.
type sealer struct {
	aead  cipher.AEAD
	bound []byte
}

// sealed is a token as it lies in the vault, inside the seal.
type sealed struct {
	Access         string    `json:"a"`
	Refresh        string    `json:"r"`
	Expires        time.Time `json:"e"`
	RefreshExpires time.Time `json:"x"`
	Issued         time.Time `json:"i"`
}

func newSealer(secret []byte, store sla.StoreID) (sealer, error) {
	if len(secret) < minSealKey {
		return sealer{}, fmt.Errorf("seal key is shorter than %d bytes", minSealKey)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "watchkeeper token vault", 32)
	if err != nil {
		return sealer{}, errors.New("seal key is not usable")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, errors.New("seal key is not usable")
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, errors.New("seal key is not usable")
	}
	return sealer{aead: aead, bound: []byte(store)}, nil
}

func (s sealer) seal(k Token) ([]byte, error) {
	text, err := json.Marshal(sealed(k))
	if err != nil {
		return nil, errors.New("token cannot be sealed") // its times are out of range; the library would quote them
	}
	return s.aead.Seal([]byte{sealVersion}, nil, text, s.bound), nil //nolint:gosec // no nonce is given: this AEAD draws a random one
}

func (s sealer) open(blob []byte) (Token, bool) {
	if len(blob) < 1 || blob[0] != sealVersion {
		return Token{}, false
	}
	text, err := s.aead.Open(nil, nil, blob[1:], s.bound)
	if err != nil {
		return Token{}, false
	}
	var k sealed
	if json.Unmarshal(text, &k) != nil {
		return Token{}, false
	}
	return Token(k), true
}
