package auth

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

var cheap = Argon2{MemoryKiB: 64, Time: 1, Threads: 1}

func TestHashes(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 2, 10)
	phc, err := h.Hash(t.Context(), "secret")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatalf("got %s %v", phc, err)
	}
	again, _ := h.Hash(t.Context(), "secret")
	if again == phc {
		t.Error("two hashes share a salt")
	}
	for password, want := range map[string]bool{"secret": true, "Secret": false, "": false} {
		if match, stale, err := h.Check(t.Context(), password, phc); match != want || stale || err != nil {
			t.Errorf("%q: %v %v %v", password, match, stale, err)
		}
	}
	costly := NewHasher(Argon2{MemoryKiB: 128, Time: 1, Threads: 1}, 2, 10)
	if match, stale, err := costly.Check(t.Context(), "secret", phc); !match || !stale || err != nil {
		t.Errorf("an older cost: %v %v %v", match, stale, err)
	}
}

// The hash of RFC 9106's reference implementation, so that hashes made
// elsewhere are read and ours are read elsewhere.
func TestReferenceHash(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 1, 1)
	phc := "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	if match, _, err := h.Check(t.Context(), "password", phc); !match || err != nil {
		t.Errorf("%v %v", match, err)
	}
}

func TestNobodyMatchesAMissingAccount(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 1, 1)
	if match, _, err := h.Check(t.Context(), "anything", ""); match || err != nil {
		t.Fatalf("%v %v", match, err)
	}
}

func TestTooManyWaitersAreShed(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 1, 2)
	if err := h.lanes[0].running.Acquire(t.Context(), 1); err != nil { // a hash that takes for ever
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	for range 2 {
		waiting.Go(func() { _, _ = h.Hash(ctx, "x") })
	}
	for h.lanes[0].waiting.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	_, err := h.Hash(t.Context(), "x")
	if models.CodeOf(err) != models.CodeOverloaded {
		t.Errorf("a third waiter: %v", err)
	}
	cancel()
	waiting.Wait()
	h.lanes[0].running.Release(1)
	if _, err := h.Hash(t.Context(), "x"); err != nil {
		t.Errorf("free again: %v", err)
	}
}

// Strangers can fill their slots and their queue, and still an owner is served.
func TestKnownDevicesHaveTheirOwnSlots(t *testing.T) {
	t.Parallel()
	h := NewHasher(cheap, 1, 0)
	if err := h.lanes[0].running.Acquire(t.Context(), 1); err != nil { // a stranger's hash that takes for ever
		t.Fatal(err)
	}
	if _, err := h.Hash(t.Context(), "x"); models.CodeOf(err) != models.CodeOverloaded {
		t.Errorf("a stranger: %v", err)
	}
	known := web.WithKnownLane(t.Context())
	phc, err := h.Hash(known, "x")
	if err != nil {
		t.Fatalf("a known device: %v", err)
	}
	if match, _, err := h.Check(known, "x", phc); !match || err != nil {
		t.Errorf("a known device: %v %v", match, err)
	}
}

// TestCommonList holds the list to what ASVS 6.2.4 asks: at least the top 3000
// that the length rule lets through.
func TestCommonList(t *testing.T) {
	t.Parallel()
	if n := len(common()); n < 3000 {
		t.Errorf("%d passwords on the list", n)
	}
	for _, password := range []string{"password", "12345678", "iloveyou1", "qwertyuiop", "sunshine"} {
		if !isCommon(password) {
			t.Errorf("%s is not on the list", password)
		}
	}
	if isCommon("correct horse battery") {
		t.Error("a long phrase is refused for one of its words")
	}
}

func BenchmarkDefaultHash(b *testing.B) {
	h := NewHasher(Argon2{MemoryKiB: 19456, Time: 2, Threads: 1}, 2, 10)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), "correct horse battery"); err != nil {
			b.Fatal(err)
		}
	}
}
