package models

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"strings"
)

// BrowserKey is the public half of a P-256 key that a browser made and can't hand out.
// A copied browser profile copies it, so it is a mark and no factor.
type BrowserKey struct {
	PublicKey  []byte `json:"public_key"` // SubjectPublicKeyInfo (RFC 5280)
	Thumbprint string `json:"thumbprint"` // base64url of its SHA-256, without padding
}

// ReadBrowserKey reads a key as a browser exports it: SubjectPublicKeyInfo in base64url.
// invalid_request for anything but P-256.
func ReadBrowserKey(text string) (BrowserKey, error) {
	malformed := Invalid("public_key", "malformed", "send the SubjectPublicKeyInfo of a P-256 key in base64url")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) > 256 {
		return BrowserKey{}, malformed
	}
	parsed, err := x509.ParsePKIXPublicKey(raw)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return BrowserKey{}, malformed
	}
	// One key has one thumbprint, however it was written.
	if raw, err = x509.MarshalPKIXPublicKey(key); err != nil {
		return BrowserKey{}, malformed
	}
	sum := sha256.Sum256(raw)
	return BrowserKey{PublicKey: raw, Thumbprint: base64.RawURLEncoding.EncodeToString(sum[:])}, nil
}

// Verify tells whether the key signed the lines: ECDSA over their SHA-256 as WebCrypto
// makes it, r and s of 32 bytes each (IEEE P1363), in base64url. The first line says
// what the signature is for, so that it serves for nothing else.
func (k BrowserKey) Verify(lines []string, signature string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	parsed, bad := x509.ParsePKIXPublicKey(k.PublicKey)
	key, ok := parsed.(*ecdsa.PublicKey)
	if err != nil || bad != nil || !ok || len(raw) != 64 {
		return false
	}
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
}

// SubjectOf stands for an account in what its browser signs: at the second door a
// session is told no more of the account than its factors.
func SubjectOf(userID ID) string {
	sum := sha256.Sum256([]byte("sallyport subject\n" + string(userID)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
