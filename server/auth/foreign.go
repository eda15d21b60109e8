package auth

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // PBKDF2-HMAC-SHA1 from elsewhere is checked, never made
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/crypto/scrypt"
)

// Hashes that other systems made. Their users bring them along and lose them at
// their first sign-in, when the password is hashed anew.

// bcryptBytes is how much of a password bcrypt looks at. Where these hashes come
// from the rest was cut off, and so it is here, or their owners were locked out.
const bcryptBytes = 72

const (
	minBcryptCost = 4
	maxBcryptCost = 14 // about a second
)

// bcryptAlphabet is that of bcrypt's own base64.
const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func readBcrypt(text string, parts []string) (storedHash, error) {
	if len(parts) != 2 || len(parts[0]) != 2 || len(parts[1]) != 53 || strings.Trim(parts[1], bcryptAlphabet) != "" {
		return storedHash{}, errors.New("a bcrypt hash must have a cost of two digits and 53 characters of salt and key")
	}
	if _, err := (bound{"the cost of bcrypt", minBcryptCost, maxBcryptCost}).read(strings.TrimPrefix(parts[0], "0")); err != nil {
		return storedHash{}, err
	}
	return storedHash{memoryKiB: 4, truncates: true, matches: func(password string) bool {
		return bcrypt.CompareHashAndPassword([]byte(text), []byte(password)) == nil
	}}, nil
}

func readScrypt(parts []string) (storedHash, error) {
	if len(parts) != 3 {
		return storedHash{}, errors.New("an scrypt hash must have parameters, salt and key")
	}
	n, err := readParameters(parts[0], bound{"ln", 1, 20}, bound{"r", 1, 32}, bound{"p", 1, 16})
	if err != nil {
		return storedHash{}, err
	}
	cost, r, p := 1<<n[0], int(n[1]), int(n[2])
	salt, key, err := readSaltAndKey(parts[1], parts[2])
	if err != nil {
		return storedHash{}, err
	}
	// RFC 7914 section 4: r blocks of 128 bytes, N times, which are filled and then mixed
	stored := storedHash{memoryKiB: uint32(128 * cost * r >> 10), passes: uint32(2 * p)}
	stored.matches = func(password string) bool {
		got, err := scrypt.Key([]byte(password), salt, cost, r, p, len(key))
		return err == nil && same(got, key)
	}
	return stored, nil
}

var digests = map[string]func() hash.Hash{
	"": sha1.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

// maxIterations bounds PBKDF2, for all blocks of a key together; OWASP asks for
// 1,400,000 with SHA-1 and 600,000 with SHA-256.
const maxIterations = 2_000_000

var iterations = bound{"the iterations of pbkdf2", 1, maxIterations}

// readPBKDF2 reads what follows the scheme: passlib writes the iterations bare,
// the PHC string format as i=, with the length of the key or without.
func readPBKDF2(digest string, parts []string) (storedHash, error) {
	if len(parts) != 3 {
		return storedHash{}, errors.New("a pbkdf2 hash must have iterations, salt and key")
	}
	salt, key, err := readSaltAndKey(parts[1], parts[2])
	if err != nil {
		return storedHash{}, err
	}
	count := strings.TrimPrefix(strings.TrimSuffix(parts[0], fmt.Sprintf(",l=%d", len(key))), "i=")
	return newPBKDF2(digest, count, salt, key)
}

// readDjango reads pbkdf2_sha256$iterations$salt$key: the salt is text as it
// stands, the key base64 with padding.
func readDjango(parts []string) (storedHash, error) {
	digest, ok := strings.CutPrefix(parts[0], "pbkdf2_")
	if !ok || digest != "sha1" && digest != "sha256" {
		return storedHash{}, errUnknownScheme
	}
	if len(parts) != 4 || parts[2] == "" || len(parts[2]) > maxSalt {
		return storedHash{}, fmt.Errorf("a Django hash must have iterations, a salt of up to %d bytes and a key", maxSalt)
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[3])
	if err != nil {
		return storedHash{}, errors.New("the key must be base64")
	}
	if err := checkKey(key); err != nil {
		return storedHash{}, err
	}
	return newPBKDF2(digest, parts[1], []byte(parts[2]), key)
}

func newPBKDF2(digest, count string, salt, key []byte) (storedHash, error) {
	n, err := iterations.read(count)
	if err != nil {
		return storedHash{}, err
	}
	newDigest := digests[digest]
	size := newDigest().Size()
	if blocks := (len(key) + size - 1) / size; n*uint64(blocks) > maxIterations {
		return storedHash{}, fmt.Errorf("the key takes %d blocks of %d iterations: at most %d in all", blocks, n, maxIterations)
	}
	return storedHash{memoryKiB: 1, matches: func(password string) bool {
		got, err := pbkdf2.Key(newDigest, password, salt, int(n), len(key))
		return err == nil && same(got, key)
	}}, nil
}
