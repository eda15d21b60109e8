package auth

import (
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Argon2 holds the cost of a hash (RFC 9106).
type Argon2 struct {
	MemoryKiB uint32
	Time      uint32
	Threads   uint8
}

// variant is one of the functions of RFC 9106. Argon2d is not among them: it is
// not for passwords.
type variant string

const (
	argon2i  variant = "argon2i"
	argon2id variant = "argon2id"
)

func (v variant) derive(cost Argon2, password string, salt []byte, length int) []byte {
	if v == argon2i {
		return argon2.Key([]byte(password), salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(length))
	}
	return argon2.IDKey([]byte(password), salt, cost.Time, cost.MemoryKiB, cost.Threads, uint32(length))
}

// encode writes the PHC string format.
func encode(v variant, cost Argon2, salt, key []byte) string {
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", v, argon2.Version,
		cost.MemoryKiB, cost.Time, cost.Threads, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// readArgon2 reads what follows the variant in a PHC string. Its bounds are those
// of the configuration, for the cost may have been set higher here before.
func readArgon2(v variant, parts []string) (storedHash, error) {
	if len(parts) != 4 || parts[0] != fmt.Sprintf("v=%d", argon2.Version) {
		return storedHash{}, fmt.Errorf("an %s hash must have version %d, parameters, salt and key", v, argon2.Version)
	}
	n, err := readParameters(parts[1], bound{"m", 8, 4 << 20}, bound{"t", 1, 100}, bound{"p", 1, 64})
	if err != nil {
		return storedHash{}, err
	}
	cost := Argon2{MemoryKiB: uint32(n[0]), Time: uint32(n[1]), Threads: uint8(n[2])}
	if cost.MemoryKiB < 8*uint32(cost.Threads) {
		return storedHash{}, fmt.Errorf("m must be at least 8 for each of p (RFC 9106 section 3.1)")
	}
	salt, key, err := readSaltAndKey(parts[2], parts[3])
	if err != nil {
		return storedHash{}, err
	}
	stored := storedHash{memoryKiB: cost.MemoryKiB, passes: cost.Time}
	if v == argon2id && len(key) == keyBytes {
		stored.cost = cost
	}
	stored.matches = func(password string) bool { return same(v.derive(cost, password, salt, len(key)), key) }
	return stored, nil
}

// b64 refuses loose bits at the end, so that a hash has one spelling.
var b64 = rawBase64.Strict()

// readSaltAndKey reads base64 without padding, or passlib's, which writes . for +.
func readSaltAndKey(saltText, keyText string) (salt, key []byte, err error) {
	dots := strings.NewReplacer(".", "+")
	if salt, err = b64.DecodeString(dots.Replace(saltText)); err != nil || len(salt) == 0 || len(salt) > maxSalt {
		return nil, nil, fmt.Errorf("the salt must be 1 to %d bytes in base64 without padding", maxSalt)
	}
	if key, err = b64.DecodeString(dots.Replace(keyText)); err != nil {
		return nil, nil, fmt.Errorf("the key must be base64 without padding")
	}
	return salt, key, checkKey(key)
}
