package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// storedHash is a password hash that was read: what checking it takes, and the
// check.
type storedHash struct {
	memoryKiB uint32 // that one check takes
	passes    uint32 // over the memory, with Argon2 and scrypt
	cost      Argon2 // of a hash that could be ours; zero for every other
	truncates bool   // only the first bcryptBytes of a password count
	matches   func(password string) bool
}

// cuts tells that the hash says nothing of the password's end. It is not hashed
// anew then: a slip that this hash can't see would become the password.
func (s storedHash) cuts(password string) bool { return s.truncates && len(password) > bcryptBytes }

const (
	minKey  = 16 // bytes; of a shorter one strangers could guess a preimage
	maxKey  = 64
	maxSalt = 64
)

var rawBase64 = base64.RawStdEncoding

// readHash reads a hash of any scheme that is checked here:
//
//   - Argon2id and Argon2i, version 19 (PHC string format)
//   - bcrypt ($2a$, $2b$, $2y$), cost 4 to 14
//   - scrypt ($scrypt$ln=,r=,p=), as passlib writes it
//   - PBKDF2 with SHA-1, SHA-256 or SHA-512 as PHC, passlib and Django write it
//
// Its errors name numbers and never quote the hash. Importable holds what comes
// from elsewhere to the cost that a sign-in may have: Argon2 may be ours, of a
// time when the cost was set higher.
func readHash(text string) (storedHash, error) {
	if strings.ContainsAny(text, "\r\n") { // which base64 would skip
		return storedHash{}, errors.New("must be one line")
	}
	parts := strings.Split(text, "$")
	if len(parts) < 3 {
		return storedHash{}, errUnknownScheme
	}
	if parts[0] != "" {
		return readDjango(parts)
	}
	switch scheme := parts[1]; scheme {
	case string(argon2id), string(argon2i):
		return readArgon2(variant(scheme), parts[2:])
	case "2a", "2b", "2y":
		return readBcrypt(text, parts[2:])
	case "scrypt":
		return readScrypt(parts[2:])
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return readPBKDF2(strings.TrimPrefix(strings.TrimPrefix(scheme, "pbkdf2"), "-"), parts[2:])
	default:
		return storedHash{}, errUnknownScheme
	}
}

var errUnknownScheme = errors.New("is of no known scheme: argon2id, argon2i, bcrypt ($2a$, $2b$, $2y$), scrypt or pbkdf2")

// bound names a parameter and what it may be.
type bound struct {
	name      string
	low, high uint64
}

// readParameters reads "m=64,t=1" strictly: these names in this order.
func readParameters(text string, bounds ...bound) ([]uint64, error) {
	fields := strings.Split(text, ",")
	if len(fields) != len(bounds) {
		return nil, fmt.Errorf("must have %d parameters", len(bounds))
	}
	values := make([]uint64, len(bounds))
	for i, b := range bounds {
		digits, ok := strings.CutPrefix(fields[i], b.name+"=")
		if !ok {
			return nil, fmt.Errorf("parameter %d must be %s", i+1, b.name)
		}
		n, err := b.read(digits)
		if err != nil {
			return nil, err
		}
		values[i] = n
	}
	return values, nil
}

// read reads a plain decimal number within the bound.
func (b bound) read(digits string) (uint64, error) {
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("%s must be a plain number", b.name)
	}
	if n < b.low || n > b.high {
		return 0, fmt.Errorf("%s must be %d to %d, is %d", b.name, b.low, b.high, n)
	}
	return n, nil
}

func checkKey(key []byte) error {
	if len(key) < minKey || len(key) > maxKey {
		return fmt.Errorf("the key must have %d to %d bytes, has %d", minKey, maxKey, len(key))
	}
	return nil
}

func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

const (
	importMemoryKiB = 256 << 10 // of any hash from elsewhere
	importWorkKiB   = 1 << 20   // memory times passes: about half a second
)

// Importable tells whether a hash from elsewhere can be checked here at a cost
// that a sign-in may have; the error says what is wrong and never quotes it.
func Importable(hash string) error {
	stored, err := readHash(hash)
	switch {
	case err != nil:
		return err
	case stored.memoryKiB > importMemoryKiB:
		return fmt.Errorf("takes %d MiB of memory for each check: at most %d", stored.memoryKiB>>10, importMemoryKiB>>10)
	case uint64(stored.memoryKiB)*uint64(stored.passes) > importWorkKiB:
		return fmt.Errorf("takes %d passes over %d KiB of memory: at most %d KiB in all", stored.passes, stored.memoryKiB, importWorkKiB)
	}
	return nil
}
