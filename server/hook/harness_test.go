package hook_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
	"github.com/sallyport/sallyport/server/hook"
	"github.com/sallyport/sallyport/server/outbound"
)

var loopback = outbound.Allowed{netip.MustParsePrefix("127.0.0.1/32")}

// site is the records of a site and who delivers for it.
type site struct {
	*pgtest.Fixture
	t         testing.TB
	messenger hook.Messenger
}

func newSite(t testing.TB) *site {
	t.Helper()
	f := pgtest.New(t)
	return &site{f, t, hook.Messenger{Store: f.Store, Client: loopback.Client(), Now: f.Clock.Now}}
}

// arrival is a request that a receiver got.
type arrival struct {
	header http.Header
	body   []byte
	models.Message
}

// receiver is an endpoint of somebody, over TCP.
type receiver struct {
	*site
	id     models.ID
	secret string
	server *httptest.Server

	mu      sync.Mutex
	status  int       // that it answers with
	arrived []arrival // with any status
	taken   []arrival // with 2xx
}

func (s *site) receiver(types ...string) *receiver {
	s.t.Helper()
	r := &receiver{site: s, id: models.NewID(s.Clock.Now()), status: http.StatusNoContent}
	r.server = httptest.NewServer(r)
	s.t.Cleanup(r.server.Close)
	w := models.Webhook{ID: r.id, URL: r.server.URL, Types: append([]string{}, types...)}
	secret, err := s.AddWebhook(s.t.Context(), models.Ref{}, w, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	r.secret = secret
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	a := arrival{header: request.Header, body: body}
	if err == nil {
		err = json.Unmarshal(body, &a.Message)
	}
	if err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = append(r.arrived, a)
	if r.status < 300 {
		r.taken = append(r.taken, a)
	}
	w.WriteHeader(r.status)
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// user is an account to whom things happen.
func (s *site) user(name string) models.ID {
	s.t.Helper()
	id := models.NewID(s.Clock.Now())
	_, err := s.Pool.Exec(context.Background(), `
		INSERT INTO users (id, email, email_canonical, username, username_canonical, display_name, password_hash, webauthn_handle, created_at)
		VALUES ($1, $2 || '@example.com', $2 || '@example.com', $2, $2, $2, '$argon2id$', sha512($2::bytea), $3)`, id, name, s.Clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// happen is so many facts of an account: it becomes an admin, and is one no more.
func (s *site) happen(name string, times int) {
	s.t.Helper()
	for range times {
		admins, err := s.Admins(context.Background())
		if err == nil {
			err = s.SetAdmin(context.Background(), name, len(admins) == 0)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// waiting are the deliveries that somebody may have to send, in any order.
func (s *site) waiting() []models.ID {
	s.t.Helper()
	rows, err := s.Pool.Query(context.Background(), `SELECT id FROM webhook_deliveries WHERE delivered_at IS NULL AND dead_at IS NULL`)
	if err != nil {
		s.t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[models.ID])
	if err != nil {
		s.t.Fatal(err)
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids
}

// round has every delivery tried once whose time has come, and gives the longest wait.
func (s *site) round() (longest time.Duration) {
	s.t.Helper()
	for _, id := range s.waiting() {
		wait, err := s.messenger.Deliver(context.Background(), id)
		if err != nil {
			s.t.Fatal(err)
		}
		longest = max(longest, wait)
	}
	return longest
}

// settle delivers until nothing moves any more.
func (s *site) settle() {
	s.t.Helper()
	for before := -1; before != len(s.waiting()); {
		before = len(s.waiting())
		s.round()
	}
}

func (r *receiver) deliveries(state models.DeliveryState) []models.Delivery {
	r.t.Helper()
	list, err := r.Deliveries(context.Background(), r.id, state, "", 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}
