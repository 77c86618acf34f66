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

// MinSealKey is how long a secret must be at least to make the key of a seal, in bytes.
const MinSealKey = 16

const sealVersion = 1 // first byte of a blob

// sealer encrypts a store's token; a blob opens only with one of the same secrets and for the same store.
type sealer struct {
	aeads []cipher.AEAD // the first seals, all open
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

func newSealer(secrets [][]byte, store sla.StoreID) (sealer, error) {
	if len(secrets) == 0 {
		return sealer{}, errors.New("no seal key")
	}
	s := sealer{bound: []byte(store)}
	for _, secret := range secrets {
		aead, err := newAEAD(secret)
		if err != nil {
			return sealer{}, err
		}
		s.aeads = append(s.aeads, aead)
	}
	return s, nil
}

func newAEAD(secret []byte) (cipher.AEAD, error) {
	if len(secret) < MinSealKey {
		return nil, fmt.Errorf("seal key is shorter than %d bytes", MinSealKey)
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "watchkeeper token vault", 32)
	if err != nil {
		return nil, errors.New("seal key is not usable")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.New("seal key is not usable")
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s sealer) seal(k Token) ([]byte, error) {
	text, err := json.Marshal(sealed(k))
	if err != nil {
		return nil, errors.New("token cannot be sealed") // its times are out of range; the library would quote them
	}
	return s.aeads[0].Seal([]byte{sealVersion}, nil, text, s.bound), nil //nolint:gosec // no nonce is given: this AEAD draws a random one
}

func (s sealer) open(blob []byte) (Token, bool) {
	if len(blob) < 1 || blob[0] != sealVersion {
		return Token{}, false
	}
	for _, aead := range s.aeads {
		if text, err := aead.Open(nil, nil, blob[1:], s.bound); err == nil {
			return unsealed(text)
		}
	}
	return Token{}, false
}

func unsealed(text []byte) (Token, bool) {
	var k sealed
	if json.Unmarshal(text, &k) != nil {
		return Token{}, false
	}
	return Token(k), true
}
