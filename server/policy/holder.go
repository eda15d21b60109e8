package policy

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Store keeps every policy that was ever in force under its version.
type Store interface {
	SavePolicy(ctx context.Context, p models.Policy) error
	PolicyByVersion(ctx context.Context, version string) (models.Policy, error)
}

// Holder holds the policy in force. It is replaced whole, never changed, so a
// reader sees one policy or the other. It is safe for concurrent use.
type Holder struct {
	store    Store
	log      *slog.Logger
	path     string // "" without a file
	defaults Defaults
	judge    Judge

	current atomic.Pointer[models.Policy]
	seen    []byte   // the document in force; owned by Watch
	fresh   []byte   // another one, read once so far; owned by Watch
	refused []byte   // the one last reported as bad; owned by Watch
	known   sync.Map // version -> models.Policy: versions never change
}

// Load reads the policy and keeps it in the store. Without a path the defaults
// are in force. The judge is asked of whatever would take a policy's place later,
// not of the first, without which nothing would run.
func Load(ctx context.Context, store Store, path string, defaults Defaults, judge Judge, log *slog.Logger) (*Holder, error) {
	h := &Holder{store: store, log: log, path: path, defaults: defaults, judge: judge}
	policy := defaults("", "")
	if path != "" {
		document, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("policy.file: %v", err)
		}
		h.seen = document
		policy, err = Parse(path, document, defaults)
		if err != nil {
			return nil, err
		}
	}
	return h, h.swap(ctx, policy)
}

// Current is the policy in force.
func (h *Holder) Current() models.Policy { return *h.current.Load() }

// ByVersion finds a policy that was in force at some time; not_found for one
// that nobody knows.
func (h *Holder) ByVersion(ctx context.Context, version string) (models.Policy, error) {
	if p, ok := h.known.Load(version); ok {
		return p.(models.Policy), nil
	}
	p, err := h.store.PolicyByVersion(ctx, version)
	if err != nil {
		return models.Policy{}, err
	}
	h.known.Store(version, p)
	return p, nil
}

// swap puts a policy into force. It is stored first, so that no session ever
// names a version that other instances can't find.
func (h *Holder) swap(ctx context.Context, p models.Policy) error {
	if err := h.store.SavePolicy(ctx, p); err != nil {
		return err
	}
	h.known.Store(p.Version(), p)
	h.current.Store(&p)
	return nil
}

// Watch looks at the file every so often until ctx ends, and swaps in what
// changed. A bad file is reported once and the policy in force stays; what the
// judge refused is swapped in once the judge lets it. It reads the file instead
// of waiting for events: editors rename, orchestrators swap links, and network
// file systems tell nobody.
func (h *Holder) Watch(ctx context.Context, every time.Duration) {
	if h.path == "" {
		return
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.look(ctx)
		}
	}
}

func (h *Holder) look(ctx context.Context) {
	document, err := os.ReadFile(h.path)
	if err != nil || bytes.Equal(document, h.seen) {
		h.fresh, h.refused = nil, nil
		return // in the middle of being replaced, or the same
	}
	// A file caught while it is written would be read as a shorter one, whose
	// missing keys fall back to the defaults: it counts once it holds still.
	if !bytes.Equal(document, h.fresh) || h.fresh == nil {
		h.fresh = document
		return
	}
	policy, err := Parse(h.path, document, h.defaults, h.judge)
	if err == nil && len(bytes.TrimSpace(document)) == 0 {
		// What a full disk leaves. Whoever wants the defaults can say {}.
		err = fmt.Errorf("policy %s: is empty", h.path)
	}
	if err != nil {
		if h.refused == nil || !bytes.Equal(document, h.refused) {
			h.log.Error("the changed policy file is refused, the old policy stays in force", "error", err)
		}
		h.refused = document
		return
	}
	if err := h.swap(ctx, policy); err != nil {
		h.log.Error("the changed policy could not be stored, trying again", "error", err)
		return
	}
	h.seen, h.fresh, h.refused = document, nil, nil
	h.log.Info("the policy was changed", "version", policy.Version())
}
