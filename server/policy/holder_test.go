package policy

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

// memory is a store of policies.
type memory struct {
	mu    sync.Mutex
	saved map[string]models.Policy
}

func (m *memory) SavePolicy(_ context.Context, p models.Policy) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.saved[p.Version()] = p
	return nil
}

func (m *memory) PolicyByVersion(_ context.Context, version string) (models.Policy, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.saved[version]
	if !ok {
		return p, models.Refuse(models.CodeNotFound, "no such policy")
	}
	return p, nil
}

// policyFile is the path of a policy, and what writes it.
func policyFile(t *testing.T) (path string, write func(document string)) {
	path = filepath.Join(t.TempDir(), "policy.yaml")
	return path, func(document string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAChangedFileIsSwappedInAndABadOneIsNot(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	write := func(document string) {
		t.Helper()
		// As editors and orchestrators do it: another file takes the name.
		if err := os.WriteFile(path+".new", []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	write("face: {threshold: 0.45}\n")
	var log pgtest.Log
	store := &memory{saved: map[string]models.Policy{}}
	h, err := Load(t.Context(), store, path, named, easy, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	first := h.Current()
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { h.Watch(ctx, 5*time.Millisecond) })
	defer watching.Wait()
	defer stop()
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(5 * time.Second); !ok(); {
			if time.Now().After(deadline) {
				t.Fatalf("never %s", what)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}

	write("face: {threshold: 0.40}\n")
	until("swapped in", func() bool { return h.Current().Face.Threshold == 0.40 })
	if got, err := h.ByVersion(t.Context(), first.Version()); err != nil || got.Face.Threshold != 0.45 {
		t.Errorf("the version that older attempts began with is gone: %v", err)
	}
	write("face: {threshold: 40}\n")
	until("reported", func() bool { return strings.Contains(log.String(), "face.threshold must be") })
	if h.Current().Face.Threshold != 0.40 {
		t.Error("a bad file took the old policy's place")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write("face: {threshold: 0.38}\n")
	until("swapped in again", func() bool { return h.Current().Face.Threshold == 0.38 })
	if n := strings.Count(log.String(), "refused"); n != 1 {
		t.Errorf("the bad file was reported %d times", n)
	}
}

// A file that is caught while it is written, or that a full disk left empty,
// would fall back to the defaults, which may be milder.
func TestATornFileIsNotSwappedIn(t *testing.T) {
	t.Parallel()
	path, write := policyFile(t)
	write("face: {threshold: 0.3}\n")
	h, err := Load(t.Context(), &memory{saved: map[string]models.Policy{}}, path, named, easy, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		document string
		want     float64
	}{
		{"", 0.3}, {"face: {threshold: 0.3}\nfac", 0.3}, {"{}\n", 0.3}, {"face: {threshold: 0.2}\n", 0.3}, {"face: {threshold: 0.2}\n", 0.2},
		{"", 0.2}, {"", 0.2}, {"", 0.2},
		// The same half, caught once now and once later, is no file that holds still.
		{"face: {threshold: 0.2}\n", 0.2}, {"{}\n", 0.2}, {"face: {threshold: 0.2}\n", 0.2}, {"{}\n", 0.2}, {"{}\n", 0.45},
	} {
		write(c.document)
		h.look(t.Context())
		if got := h.Current().Face.Threshold; got != c.want {
			t.Fatalf("%q: the threshold is %v, want %v", c.document, got, c.want)
		}
	}
}

func TestABadFileStopsTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte("face: {threshold: 40}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := &memory{saved: map[string]models.Policy{}}
	for _, p := range []string{path, path + ".missing"} {
		if _, err := Load(t.Context(), store, p, named, easy, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("started with %s", p)
		}
	}
}

// What is good in itself and can't be used yet is refused like a bad file, and
// taken as soon as it can.
func TestTheJudgeIsAskedUntilItLetsAFileThrough(t *testing.T) {
	t.Parallel()
	path, write := policyFile(t)
	serves := false
	judge := func(p models.Policy) []models.Problem {
		if p.Face.Metric == "normalized" && !serves {
			return []models.Problem{{Key: "face.metric", Message: "can't be normalized: there is no cohort"}}
		}
		return nil
	}
	const normalized = "face:\n  metric: normalized\n  threshold: 0.8\n"
	write("{}\n")
	var log pgtest.Log
	h, err := Load(t.Context(), &memory{saved: map[string]models.Policy{}}, path, named, judge, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	write(normalized)
	for range 5 {
		h.look(t.Context())
	}
	if got := h.Current().Face.Metric; got != "euclidean" {
		t.Errorf("the metric is %s", got)
	}
	if n := strings.Count(log.String(), "line 2: face.metric can't be normalized: there is no cohort"); n != 1 {
		t.Errorf("the refusal was reported %d times: %s", n, log.String())
	}
	serves = true
	h.look(t.Context())
	if got := h.Current().Face.Metric; got != "normalized" {
		t.Errorf("the metric is %s although it could be normalized: %s", got, log.String())
	}
	// A start is not held up: what can't be compared is unavailable.
	serves = false
	if h, err = Load(t.Context(), &memory{saved: map[string]models.Policy{}}, path, named, judge, slog.New(slog.DiscardHandler)); err != nil || h.Current().Face.Metric != "normalized" {
		t.Errorf("the start: %v", err)
	}
}
