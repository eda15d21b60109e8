// Package seal keeps secrets at rest and makes tokens. Values are encrypted by
// an AEAD keyset (tink) with the place they belong to as associated data, so a
// ciphertext that is moved to another row, column or table does not open.
//
// It is called at the store's boundary, so that no handler can forget it.
package seal

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sallyport/sallyport/models"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrOpen says that a sealed value does not belong to this place, was changed,
// or was sealed under a key that is not there any more.
var ErrOpen = errors.New("sealed value does not open")

// Sealer seals with the primary key of its keyset and opens with any of its
// keys. It is safe for concurrent use.
type Sealer struct {
	primitive tink.AEAD
	digestKey []byte
}

// Place is the row that a sealed value belongs to.
type Place struct {
	Table, Column string
	Row           models.ID
	// Context is what else of the row the value belongs to, such as its owner.
	Context string
}

func (p Place) associated() []byte {
	name := "sallyport:" + p.Table + ":" + p.Column + ":" + string(p.Row)
	if p.Context != "" {
		name += ":" + p.Context
	}
	return []byte(name)
}

// New makes a Sealer from a keyset as NewKeys wrote it, and from a 32-byte
// key for digests of what must be compared without being stored.
func New(keys, digestKey []byte) (*Sealer, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(keys)))
	if err != nil {
		return nil, fmt.Errorf("keyset can't be read: %v", err)
	}
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("keyset is not for sealing: %v", err)
	}
	if len(digestKey) != sha256.Size {
		return nil, fmt.Errorf("digest key has %d bytes, not %d", len(digestKey), sha256.Size)
	}
	return &Sealer{primitive, digestKey}, nil
}

// NewKeys makes a keyset with one AES-256-GCM key, as tink's JSON.
func NewKeys() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return write(handle)
}

// RotateKeys adds a new primary key to a keyset. What the older keys sealed
// still opens.
func RotateKeys(keys []byte) ([]byte, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(keys)))
	if err != nil {
		return nil, fmt.Errorf("keyset can't be read: %v", err)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, err
	}
	rotated, err := manager.Handle()
	if err != nil {
		return nil, err
	}
	return write(rotated)
}

func write(handle *keyset.Handle) ([]byte, error) {
	var out bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&out)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Seal encrypts plaintext for its place.
func (s *Sealer) Seal(plaintext []byte, place Place) ([]byte, error) {
	return s.primitive.Encrypt(plaintext, place.associated())
}

// Open decrypts what was sealed for this place; any other gives ErrOpen.
func (s *Sealer) Open(sealed []byte, place Place) ([]byte, error) {
	plaintext, err := s.primitive.Decrypt(sealed, place.associated())
	if err != nil {
		return nil, fmt.Errorf("%w at %s.%s", ErrOpen, place.Table, place.Column)
	}
	return plaintext, nil
}

// Digest gives a keyed hash (HMAC-SHA-256) of a value that must be recognised
// but not stored, such as a name that nobody has registered.
func (s *Sealer) Digest(purpose, value string) []byte {
	mac := hmac.New(sha256.New, s.digestKey)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// NewToken makes a bearer secret: 32 random bytes in unpadded base64url. Only
// models.HashToken of it is ever stored.
func NewToken() string { return base64.RawURLEncoding.EncodeToString(Random(32)) }

// Random gives n random bytes.
func Random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails; it ends the process instead
	return b
}
