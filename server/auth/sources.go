package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/seal"
)

// Sources remembers for some minutes which networks failed at many names
// (credential stuffing), and which passwords did (spraying), by digests under a
// key that dies with the process. Each instance has its own memory of them; the
// limits that they make dearer are everybody's. It is safe for concurrent use.
type Sources struct {
	now       func() time.Time
	key       []byte
	mu        sync.Mutex
	networks  trails
	passwords trails
}

// NewSources remembers nothing yet.
func NewSources(now func() time.Time) *Sources {
	return &Sources{now: now, key: seal.Random(32), networks: trails{}, passwords: trails{}}
}

type digest [16]byte

func (s *Sources) digest(kind, value string) (d digest) {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(kind + "\x00" + value))
	copy(d[:], mac.Sum(nil))
	return d
}

// Failed notes that a password was wrong for a name.
func (s *Sources) Failed(rules models.Sources, network, name, password string) {
	at, who := s.now(), s.digest("name", name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networks.add(s.digest("network", network), who, at, rules.Window.Std(), rules.Names)
	s.passwords.add(s.digest("password", password), who, at, rules.Window.Std(), rules.Sprayed)
}

// Cost is what a try with this password counts for of its network's sign-ins,
// and whether the password is being tried at many names.
func (s *Sources) Cost(rules models.Sources, network, password string) (cost int, sprayed bool) {
	at := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	sprayed = s.passwords.beyond(s.digest("password", password), at, rules.Sprayed)
	if sprayed || s.networks.beyond(s.digest("network", network), at, rules.Names) {
		return rules.Cost, sprayed
	}
	return 1, false
}

// trails are the names that failed at each network, or by each password.
type trails map[digest]*trail

type trail struct {
	names map[digest]struct{}
	until time.Time
}

// maxTrails bounds the memory: beyond it any of the others is forgotten.
const maxTrails = 20_000

// add notes a name. A trail ends a while after it began, and one that has gone
// too far a while after it was last added to.
func (t trails) add(at, name digest, now time.Time, window time.Duration, most int) {
	found, ok := t[at]
	if !ok || !now.Before(found.until) {
		if !ok && len(t) >= maxTrails {
			t.makeRoom(now)
		}
		found = &trail{names: map[digest]struct{}{}, until: now.Add(window)}
		t[at] = found
	}
	if len(found.names) <= most {
		found.names[name] = struct{}{}
	}
	if len(found.names) > most {
		found.until = now.Add(window)
	}
}

func (t trails) beyond(at digest, now time.Time, most int) bool {
	found, ok := t[at]
	return ok && now.Before(found.until) && len(found.names) > most
}

func (t trails) makeRoom(now time.Time) {
	for at, found := range t {
		if !now.Before(found.until) {
			delete(t, at)
		}
	}
	for at, found := range t { // short ones first: they say the least
		if len(t) < maxTrails {
			return
		}
		if len(found.names) == 1 {
			delete(t, at)
		}
	}
	for at := range t {
		if len(t) < maxTrails {
			return
		}
		delete(t, at)
	}
}
