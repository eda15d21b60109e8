package auth

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const foreignPassword = "correct horse battery"

// foreignHashes were made by passlib 1.7.4 and Django 3.2 of foreignPassword.
var foreignHashes = map[string]string{
	"bcrypt 2a":             "$2a$04$1NRngOzrekmA7SmVwA0T.ufzZ8TGJedBjHiWVv9I9LdDfpryEgCf2",
	"bcrypt 2b":             "$2b$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6",
	"bcrypt 2y":             "$2y$04$.O41fiR70mhWxXQZW6IMYuEDJhQpGKSkgQFbSYO.zXuJ/Tuy7X03m",
	"scrypt":                "$scrypt$ln=4,r=8,p=1$G4Ow9r7X2rsXojSGsLa2Fg$Zg/fDOZcSmzwkvc9r2AKu4grsRnKWI2COV0qVpoKblo",
	"pbkdf2-sha1, passlib":  "$pbkdf2$10$PUfIeW.tVSqFcI4x5pwTQg$6X30hjv/NTFa4pS8MXn7hBO0q3g",
	"pbkdf2-sha256 passlib": "$pbkdf2-sha256$10$CQHg/D/H.J/zfu99by0lJA$3gyyHVyHQTpRaJnJp1n2P7WIgPXiUDKD7RkAmhthD44",
	"pbkdf2-sha256, PHC":    "$pbkdf2-sha256$i=10$CQHg/D/H+J/zfu99by0lJA$3gyyHVyHQTpRaJnJp1n2P7WIgPXiUDKD7RkAmhthD44",
	"pbkdf2-sha256, PHC, l": "$pbkdf2-sha256$i=10,l=32$CQHg/D/H+J/zfu99by0lJA$3gyyHVyHQTpRaJnJp1n2P7WIgPXiUDKD7RkAmhthD44",
	"pbkdf2-sha512 passlib": "$pbkdf2-sha512$10$tdZ6j3GulZKydq7Vek8pxQ$5mh5JVT8c1eqcoZIoOC8EyvfcqRd6OSXAuSxXyfKfCvjSSdyb5bC8Cq12Ier1eT5X8nFtSq/D3/bdxykoOReTg",
	"pbkdf2-sha256, Django": "pbkdf2_sha256$10$salty$atv1SSmDxsLzKCAXEgeEO/CgilkDRWwtydaokEaggLI=",
	"pbkdf2-sha1, Django":   "pbkdf2_sha1$10$salty$AxaIp3SqWF0HkrlCZzbWk53ujzA=",
	"argon2i":               "$argon2i$v=19$m=64,t=1,p=2$3Lu3FgLAOCeEMKYUwpiT0g$LO/09PvhWXIJfTSngBw8tA",
	"argon2id, short key":   "$argon2id$v=19$m=64,t=1,p=1$GIMwhtCac25N6X1PKcW4Nw$tZ1uYbqkHCmqRbcHLDk7wg",
}

func TestForeignHashesLetTheirOwnerInAndAreStale(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 2, 10)
	for name, hash := range foreignHashes {
		if err := Importable(hash); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if match, stale, err := h.Check(t.Context(), foreignPassword, hash); !match || !stale || err != nil {
			t.Errorf("%s, right: %v %v %v", name, match, stale, err)
		}
		if match, stale, err := h.Check(t.Context(), foreignPassword+"!", hash); match || stale || err != nil {
			t.Errorf("%s, wrong: %v %v %v", name, match, stale, err)
		}
	}
}

// Elsewhere a password was mostly hashed as it came. Ours is composed first, so
// both are tried.
func TestAPasswordThatWasHashedAsItWasTyped(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 2, 10)
	composed, decomposed := "caf\u00e9 au lait", "cafe\u0301 au lait"
	ofDecomposed := []string{ // by passlib
		"$2b$04$oYpE2hELjZPAliYWKgtXeONexsesQr9TFnM1iBG5YFpp4JyXj490i",
		"$pbkdf2-sha256$10$pPRei5FSqlXqXUtpjVEq5Q$ZKvWIp70wS8AWGqmbdJ1c0hxuCWutBQSxs32FK0PACk",
		encode(argon2id, cheap, []byte("sixteen bytes ..."), argon2id.derive(cheap, decomposed, []byte("sixteen bytes ..."), keyBytes)),
	}
	for _, hash := range ofDecomposed {
		if match, stale, err := h.Check(t.Context(), decomposed, hash); !match || !stale || err != nil {
			t.Errorf("%.8s as it was typed: %v %v %v", hash, match, stale, err)
		}
		if match, _, err := h.Check(t.Context(), composed, hash); match || err != nil {
			t.Errorf("%.8s composed: %v %v", hash, match, err)
		}
	}
	ours, err := h.Hash(t.Context(), normalise(decomposed))
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{composed, decomposed} {
		if match, stale, err := h.Check(t.Context(), typed, ours); !match || stale || err != nil {
			t.Errorf("ours, %+q: %v %v %v", typed, match, stale, err)
		}
	}
}

// bcrypt sees 72 bytes. A longer password gets in, as it did where it came from,
// and keeps its hash: a slip in what bcrypt doesn't see must not become the
// password.
func TestBcryptCutsLongPasswordsAndKeepsThem(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 1, 1)
	ofEighty := "$2b$04$mo6W9o4gjFf5SEulbEbJ3ehQOnvpXUJtqis9LyI6AZQugoX7sY0DG" // by passlib, of 80 x
	for n, want := range map[int][2]bool{71: {false, false}, 72: {true, true}, 73: {true, false}, 80: {true, false}} {
		match, stale, err := h.Check(t.Context(), strings.Repeat("x", n), ofEighty)
		if match != want[0] || stale != want[1] || err != nil {
			t.Errorf("%d bytes: %v %v %v, want %v", n, match, stale, err, want)
		}
	}
}

func TestHashesThatAreRefused(t *testing.T) {
	t.Parallel()
	key32 := strings.Repeat("A", 43)
	for _, hash := range []string{
		"", "x", "$", "$$", "$$$$$", "5f4dcc3b5aa765d61d8327deb882cf99", "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "$6$salt$abc", "$argon2d$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + key32,
		"$argon2id$v=16$m=64,t=1,p=1$c29tZXNhbHQ$" + key32, "$argon2id$m=64,t=1,p=1$c29tZXNhbHQ$" + key32,
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$" + key32, "$argon2id$v=19$m=64,t=1,p=0$c29tZXNhbHQ$" + key32, "$argon2id$v=19$m=8,t=1,p=2$c29tZXNhbHQ$" + key32,
		"$argon2id$v=19$m=64,t=1,p=1x$c29tZXNhbHQ$" + key32, "$argon2id$v=19$m=064,t=1,p=1$c29tZXNhbHQ$" + key32, "$argon2id$v=19$t=1,m=64,p=1$c29tZXNhbHQ$" + key32,
		"$argon2id$v=19$m=64,t=1,p=1,keyid=x$c29tZXNhbHQ$" + key32, "$argon2id$v=19$m=64,t=1,p=1$!$" + key32, "$argon2id$v=19$m=64,t=1,p=1$$" + key32,
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAA", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + key32 + "=", "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + key32 + "\n",
		"$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 42) + "B", // loose bits
		// costs that would stall or exhaust the server
		"$argon2id$v=19$m=4194304,t=1,p=1$c29tZXNhbHQ$" + key32, "$argon2i$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$" + key32, "$argon2id$v=19$m=64,t=4294967295,p=1$c29tZXNhbHQ$" + key32,
		"$scrypt$ln=20,r=8,p=1$c29tZXNhbHQ$" + key32, "$scrypt$ln=18,r=8,p=3$c29tZXNhbHQ$" + key32, "$scrypt$ln=63,r=8,p=1$c29tZXNhbHQ$" + key32, "$scrypt$ln=4,r=0,p=1$c29tZXNhbHQ$" + key32,
		"$2b$15$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6", "$2b$31$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6",
		"$pbkdf2-sha256$2000001$c29tZXNhbHQ$" + key32, "$pbkdf2-sha1$i=1000001$c29tZXNhbHQ$" + key32, "pbkdf2_sha256$99999999999999999999$salty$atv1SSmDxsLzKCAXEgeEO/CgilkDRWwtydaokEaggLI=",
		// bcrypt and others, badly written; $2x$ is of a broken implementation
		"$2b$03$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6", "$2x$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6", "$2b$4$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6",
		"$2b$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM", "$2b$04$.OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6$", "$2b$04$-OgX3RzRoclZhP8zHcTwEukI0.tyn1Zv5tGwL8MjtRi6AW9ppXlM6",
		"$pbkdf2-md5$10$c29tZXNhbHQ$" + key32, "$pbkdf2-sha256$i=10,l=31$c29tZXNhbHQ$" + key32, "$pbkdf2-sha256$-1$c29tZXNhbHQ$" + key32, "pbkdf2_sha512$10$salty$" + key32 + "=", "pbkdf2_sha256$10$$" + key32 + "=",
	} {
		err := Importable(hash)
		if err == nil {
			t.Errorf("%q is accepted", hash)
		} else if len(hash) > 20 && strings.Contains(err.Error(), hash[len(hash)-12:]) {
			t.Errorf("the error quotes the hash: %v", err)
		}
	}
}

// A hash that takes more memory than ours fills more places, so that what runs
// at once stays within the memory that the places stand for.
func TestALargeHashFillsSeveralPlaces(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 3, 0)
	for memory, left := range map[uint32]int{1: 2, cheap.MemoryKiB: 2, cheap.MemoryKiB + 1: 1, 3 * cheap.MemoryKiB: 0, 100 * cheap.MemoryKiB: 0} {
		release, err := h.enter(t.Context(), memory)
		if err != nil {
			t.Fatal(err)
		}
		free := 0
		for h.lanes[0].running.TryAcquire(1) {
			free++
		}
		h.lanes[0].running.Release(int64(free))
		release()
		if free != left {
			t.Errorf("beside %d KiB there is room for %d, want %d", memory, free, left)
		}
	}
}

// columnRule is what the schema lets into users.password_hash.
func columnRule(t testing.TB) *regexp.Regexp {
	t.Helper()
	files, err := filepath.Glob("../../migrations/*_passwords.sql")
	if err != nil || len(files) != 1 {
		t.Fatalf("%v %v", files, err)
	}
	sql, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`CHECK \(password_hash ~ '([^']+)'\)`).FindSubmatch(sql)
	if found == nil {
		t.Fatal("the migration has no rule for password_hash")
	}
	return regexp.MustCompile(string(found[1]))
}

// FuzzStoredHash: whatever the text, it is refused, or it is a hash that the
// schema takes, whose check is bounded and whose key nobody can guess; and an
// Argon2 hash has one spelling, the one that encode writes.
func FuzzStoredHash(f *testing.F) {
	for _, hash := range foreignHashes {
		f.Add(hash)
	}
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	rule := columnRule(f)
	f.Fuzz(func(t *testing.T, text string) {
		stored, err := readHash(text)
		if err != nil {
			if Importable(text) == nil {
				t.Errorf("%q can't be read and is importable", text)
			}
			return
		}
		if !rule.MatchString(text) {
			t.Errorf("%q is not let into the column", text)
		}
		if Importable(text) == nil && (stored.memoryKiB > 256<<10 || uint64(stored.memoryKiB)*uint64(stored.passes) > 1<<20) {
			t.Errorf("%q takes %d KiB, %d times", text, stored.memoryKiB, stored.passes)
		}
		parts := strings.Split(text, "$")
		if !strings.HasPrefix(parts[1], "argon2") || strings.Contains(text, ".") { // passlib's spelling of +
			return
		}
		salt, key, err := readSaltAndKey(parts[4], parts[5])
		if err != nil || len(key) < 16 {
			t.Fatalf("%q: a key of %d bytes %v", text, len(key), err)
		}
		n, err := readParameters(parts[3], bound{"m", 8, 4 << 20}, bound{"t", 1, 100}, bound{"p", 1, 64})
		if err != nil {
			t.Fatal(err)
		}
		if again := encode(variant(parts[1]), Argon2{uint32(n[0]), uint32(n[1]), uint8(n[2])}, salt, key); again != text {
			t.Errorf("%q is written %q", text, again)
		}
	})
}
