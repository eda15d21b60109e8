package hook_test

import (
	"context"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres"
)

// work runs the queue as the server does.
func (s *site) work() {
	s.t.Helper()
	nothing := func(context.Context) error { return nil }
	jobs, err := s.Jobs(postgres.Work{
		RenewCohort: nothing, PurgeFaces: nothing, RetainEvents: nothing, EraseAccounts: nothing, AttendRecoveries: nothing,
		SendNotice: func(context.Context, models.ID) error { return nil }, DeliverWebhook: s.messenger.Deliver,
	}, time.Second, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := jobs.Start(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := jobs.Stop(); err != nil {
			s.t.Error(err)
		}
	})
}

// flaky fails each event once, then takes it, and says when it has taken as many as asked.
type flaky struct {
	*receiver
	failed map[models.ID]bool
	all    chan struct{}
	want   int
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := models.ID(r.Header.Get("webhook-id"))
	f.mu.Lock()
	first := !f.failed[id]
	f.failed[id] = true
	f.mu.Unlock()
	if first {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	f.receiver.ServeHTTP(w, r)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.taken) == f.want {
		close(f.all)
	}
}

// Two instances with the real queue: every event is failed once and comes all the same,
// once, in its lane's order.
func TestTheQueueTriesAgainInOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messenger.Now = time.Now
	s.Store = postgres.New(s.Pool, s.Sealer, time.Now) // the queue has its own clock
	s.messenger.Store = s.Store
	r := s.receiver()
	f := &flaky{receiver: r, failed: map[models.ID]bool{}, all: make(chan struct{}), want: 4}
	r.server.Config.Handler = f
	for _, name := range []string{"ada", "bob"} {
		s.user(name)
		for i := range 2 {
			if err := s.SetAdmin(t.Context(), name, i%2 == 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.work()
	s.work()
	select {
	case <-f.all:
	case <-time.After(60 * time.Second):
		t.Fatalf("%d arrived", len(r.taken))
	}
	turn := map[models.ID]int{}
	for _, a := range r.taken {
		user := a.Data.User.ID
		if want := []string{"admin.granted", "admin.revoked"}[turn[user]]; a.Type != want {
			t.Errorf("%s was told %s as the %dth", user, a.Type, turn[user])
		}
		turn[user]++
	}
}
