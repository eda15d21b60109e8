package seal

import (
	"bytes"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func newSealer(t *testing.T, keys []byte) *Sealer {
	t.Helper()
	s, err := New(keys, make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newKeys(t *testing.T) []byte {
	t.Helper()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestSealedValueIsBoundToItsPlace(t *testing.T) {
	t.Parallel()
	s := newSealer(t, newKeys(t))
	place := Place{"totp", "secret", "row-1", "owner"}
	sealed, err := s.Seal([]byte("secret"), place)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, []byte("secret")) {
		t.Fatal("sealed value holds the plaintext")
	}
	plain, err := s.Open(sealed, place)
	if err != nil || string(plain) != "secret" {
		t.Fatalf("got %q, %v", plain, err)
	}
	for _, other := range []Place{
		{"totp", "secret", "row-2", "owner"}, {"totp", "other", "row-1", "owner"}, {"face", "secret", "row-1", "owner"},
		{"totp", "secret", "row-1", "other"}, {"totp", "secret", "row-1", ""},
	} {
		if _, err := s.Open(sealed, other); !errors.Is(err, ErrOpen) {
			t.Errorf("opened at %v: %v", other, err)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := s.Open(changed, place); !errors.Is(err, ErrOpen) {
			t.Fatalf("opened with byte %d changed", i)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	place := Place{"totp", "secret", "row", ""}
	keys := newKeys(t)
	old := newSealer(t, keys)
	sealed, err := old.Seal([]byte("x"), place)
	if err != nil {
		t.Fatal(err)
	}
	rotated, err := RotateKeys(keys)
	if err != nil {
		t.Fatal(err)
	}
	fresh := newSealer(t, rotated)
	if _, err := fresh.Open(sealed, place); err != nil {
		t.Errorf("what the old key sealed does not open: %v", err)
	}
	resealed, err := fresh.Seal([]byte("x"), place)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Open(resealed, place); err == nil {
		t.Error("the new primary key is not in use")
	}
}

func TestBadKeysAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := New([]byte("{}"), make([]byte, 32)); err == nil {
		t.Error("an empty keyset was taken")
	}
	if _, err := New(newKeys(t), make([]byte, 31)); err == nil {
		t.Error("a short digest key was taken")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	a, b := NewToken(), NewToken()
	if len(a) != 43 || a == b {
		t.Fatalf("tokens %q %q", a, b)
	}
	if models.HashToken(a) == models.HashToken(b) {
		t.Fatal("two tokens, one hash")
	}
}
