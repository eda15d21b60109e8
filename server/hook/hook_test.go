package hook_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/outbound"
)

// signed checks an arrival as a receiver does, by one secret.
func signed(t *testing.T, a arrival, secret string) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 {
		t.Fatalf("secret %q: %v", secret, err)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(a.header.Get("webhook-id") + "." + a.header.Get("webhook-timestamp") + "." + string(a.body)))
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, given := range strings.Fields(a.header.Get("webhook-signature")) {
		if given == want {
			return true
		}
	}
	return false
}

func TestAFactIsDelivered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	ada := s.user("ada")
	s.happen("ada", 1)
	s.Clock.Advance(time.Second) // the attempt has a time of its own
	s.settle()
	if len(r.taken) != 1 {
		t.Fatalf("%d arrived", len(r.taken))
	}
	a := r.taken[0]
	if a.Type != "admin.granted" || a.Data.User.ID != ada || a.Data.Session != nil || !a.Timestamp.Equal(s.Clock.Now().Add(-time.Second)) {
		t.Errorf("%s", a.body)
	}
	if a.header.Get("webhook-id") != string(a.Data.ID) || a.header.Get("webhook-timestamp") != strconv.FormatInt(s.Clock.Now().Unix(), 10) {
		t.Errorf("%v", a.header)
	}
	if !signed(t, a, r.secret) || strings.Contains(a.header.Get("webhook-signature"), " ") {
		t.Errorf("signature %q", a.header.Get("webhook-signature"))
	}
	if list := r.deliveries(models.DeliveryDelivered); len(list) != 1 || list[0].Attempts != 1 || *list[0].LastStatus != 204 || list[0].EventID != a.Data.ID {
		t.Errorf("%+v", list)
	}
}

func TestAnEndpointIsToldWhatItsFilterTakes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	all, one, other := s.receiver(), s.receiver("admin.revoked"), s.receiver("session.revoked")
	s.user("ada")
	s.happen("ada", 4)
	s.settle()
	if len(all.taken) != 4 || len(one.taken) != 2 || len(other.taken) != 0 {
		t.Errorf("%d, %d, %d", len(all.taken), len(one.taken), len(other.taken))
	}
}

func TestWhileNobodyListensNothingIsWritten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.user("ada")
	s.happen("ada", 2)
	r := s.receiver()
	off := true
	if _, err := s.ChangeWebhook(t.Context(), models.Ref{}, r.id, models.WebhookChange{Disabled: &off}, nil); err != nil {
		t.Fatal(err)
	}
	s.happen("ada", 2)
	if n := len(s.waiting()); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// The first delivery fails, and nothing of its user overtakes it, while others go on.
func TestALaneWaitsForItsOldest(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	ada, bob := s.user("ada"), s.user("bob")
	s.happen("ada", 3)
	r.answers(http.StatusInternalServerError)
	s.round()
	s.round() // too early: the first waits
	if len(r.arrived) != 1 {
		t.Fatalf("%d attempts", len(r.arrived))
	}
	r.answers(http.StatusOK)
	s.happen("ada", 1)
	if err := s.SetAdmin(t.Context(), "bob", true); err != nil {
		t.Fatal(err)
	}
	s.settle()
	if len(r.taken) != 1 || r.taken[0].Data.User.ID != bob {
		t.Fatalf("%d arrived", len(r.taken))
	}
	s.Clock.Advance(5 * time.Second)
	s.settle()
	if len(r.taken) != 5 {
		t.Fatalf("%d arrived", len(r.taken))
	}
	if first, again := r.arrived[0].header, r.taken[1].header; first.Get("webhook-id") != again.Get("webhook-id") || first.Get("webhook-timestamp") == again.Get("webhook-timestamp") ||
		first.Get("webhook-signature") == again.Get("webhook-signature") {
		t.Errorf("tried by %v, then by %v", first, again)
	}
	for i, a := range r.taken[1:] {
		if want := []string{"admin.granted", "admin.revoked"}[i%2]; a.Type != want || a.Data.User.ID != ada {
			t.Errorf("%d: %s", i, a.body)
		}
	}
}

// However many work at once, each lane arrives in order and nothing twice.
func TestManyAtOnceKeepTheOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	names := []string{"ada", "bob", "eve"}
	for _, name := range names {
		s.user(name)
	}
	for i := range 20 {
		for _, name := range names {
			if err := s.SetAdmin(t.Context(), name, i%2 == 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	for len(s.waiting()) > 0 {
		var working sync.WaitGroup
		for range 8 {
			ids := s.waiting()
			working.Go(func() {
				for _, id := range ids {
					if _, err := s.messenger.Deliver(t.Context(), id); err != nil {
						t.Error(err)
					}
				}
			})
		}
		working.Wait()
	}
	if len(r.arrived) != 60 {
		t.Errorf("%d arrived", len(r.arrived))
	}
	turn := map[models.ID]int{}
	for _, a := range r.arrived {
		user := a.Data.User.ID
		if want := []string{"admin.granted", "admin.revoked"}[turn[user]%2]; a.Type != want {
			t.Fatalf("%s was told %s as the %dth", user, a.Type, turn[user])
		}
		turn[user]++
	}
}

// Of a hundred that are sent by the same job's id, one goes out.
func TestADeliveryIsTakenOnceOf100(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 1)
	id := s.waiting()[0]
	var working sync.WaitGroup
	for range 100 {
		working.Go(func() {
			if _, err := s.messenger.Deliver(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
	working.Wait()
	if len(r.arrived) != 1 {
		t.Errorf("%d arrived", len(r.arrived))
	}
}

// Whoever takes a delivery waits for the report of another one of its lane: else it might
// believe that the other still waits, and the other that nobody is behind it.
func TestTakingADeliveryWaitsForItsLane(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 2)
	// A report is held up in the middle, by the row that it is of.
	ids, err := s.Pool.Query(t.Context(), `SELECT id FROM webhook_deliveries ORDER BY number`)
	if err != nil {
		t.Fatal(err)
	}
	lane, err := pgx.CollectRows(ids, pgx.RowTo[models.ID])
	if err != nil {
		t.Fatal(err)
	}
	first, _, err := s.TakeDelivery(t.Context(), lane[0])
	if err != nil {
		t.Fatal(err)
	}
	holder, err := s.Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec(t.Context(), `SELECT 1 FROM webhook_deliveries WHERE id = $1 FOR UPDATE`, lane[0]); err != nil {
		t.Fatal(err)
	}
	reported, taken := make(chan error, 1), make(chan error, 1)
	go func() { reported <- s.ReportDelivery(t.Context(), first, models.Outcome{Delivered: true, Status: 200}) }()
	// queues comes back once somebody waits for a lock of such a kind, or the time is over.
	queues := func(locks string) error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		for {
			var n int
			err := s.Pool.QueryRow(ctx, `
				SELECT count(*)
				FROM pg_locks l
				JOIN pg_stat_activity a USING (pid)
				WHERE NOT l.granted AND a.datname = current_database() AND l.locktype = ANY (string_to_array($1, ' '))`, locks).Scan(&n)
			if err != nil || n > 0 {
				return err
			}
		}
	}
	if err := queues("tuple transactionid"); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _, err := s.TakeDelivery(t.Context(), lane[1])
		taken <- err
	}()
	if err := queues("advisory"); err != nil {
		t.Errorf("it is not waited for: %v", err)
	}
	if err := holder.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-reported; err != nil {
		t.Error(err)
	}
	if err := <-taken; err != nil { // it is its turn now
		t.Error(err)
	}
	if len(r.deliveries(models.DeliveryDelivered)) != 1 {
		t.Error("the report was lost")
	}
}

func TestAfterADayADeliveryIsDeadAndTheLaneGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 2)
	begun := s.Clock.Now()
	r.answers(http.StatusServiceUnavailable)
	for range 10 {
		if wait := s.round(); wait > 0 {
			s.Clock.Advance(wait)
		}
	}
	if taken := s.Clock.Now().Sub(begun); taken > 24*time.Hour || taken < 18*time.Hour {
		t.Errorf("given up after %s", taken)
	}
	dead := r.deliveries(models.DeliveryDead)
	if len(dead) != 1 || dead[0].Attempts != 10 || *dead[0].LastStatus != 503 || *dead[0].LastError != "status" || dead[0].Type != "admin.granted" {
		t.Fatalf("%+v", dead)
	}
	r.answers(http.StatusOK)
	s.settle()
	if len(r.taken) != 1 || r.taken[0].Type != "admin.revoked" {
		t.Fatalf("%d arrived", len(r.taken))
	}
	// Replayed, it is the same event, signed anew.
	s.happen("ada", 1)
	if err := s.ReplayDelivery(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if err := s.ReplayDelivery(t.Context(), dead[0].ID); models.CodeOf(err) != models.CodeConflict {
		t.Errorf("replayed while it waits: %v", err)
	}
	s.settle()
	if len(r.taken) != 3 || r.taken[2].Data.ID != dead[0].EventID || !signed(t, r.taken[2], r.secret) {
		t.Fatalf("%d arrived", len(r.taken))
	}
	if err := s.ReplayDelivery(t.Context(), dead[0].ID); err != nil { // a delivered one too
		t.Error(err)
	}
	if err := s.ReplayDelivery(t.Context(), r.id); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("replayed what is not there: %v", err)
	}
}

func TestAnEndpointThatIsGoneIsToldNothingMore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.user("bob")
	s.happen("ada", 3)
	r.answers(http.StatusGone)
	s.settle()
	s.happen("ada", 1)
	s.settle()
	if len(r.arrived) != 1 || len(r.deliveries(models.DeliveryDead)) != 3 {
		t.Errorf("%d attempts, %d dead", len(r.arrived), len(r.deliveries(models.DeliveryDead)))
	}
	list, err := s.Webhooks(t.Context())
	if err != nil || list[0].DisabledAt == nil || list[0].Dead != 3 || list[0].Waiting != 0 {
		t.Errorf("%+v %v", list, err)
	}
	if err := s.ReplayDelivery(t.Context(), r.deliveries(models.DeliveryDead)[0].ID); models.CodeOf(err) != models.CodeConflict {
		t.Errorf("replayed: %v", err)
	}
	on := false
	if _, err := s.ChangeWebhook(t.Context(), models.Ref{}, r.id, models.WebhookChange{Disabled: &on}, nil); err != nil {
		t.Fatal(err)
	}
	r.answers(http.StatusOK)
	if err := s.ReplayDelivery(t.Context(), r.deliveries(models.DeliveryDead)[0].ID); err != nil {
		t.Error(err)
	}
	s.settle()
	if len(r.taken) != 1 {
		t.Errorf("%d arrived", len(r.taken))
	}
}

// For a day both secrets sign, so that a receiver can change over when it likes.
func TestSecretsAreRotated(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	next, err := s.RotateWebhookSecret(t.Context(), models.Ref{}, r.id, nil)
	if err != nil || next == r.secret {
		t.Fatal(err)
	}
	told := func() arrival {
		t.Helper()
		s.happen("ada", 1)
		s.settle()
		return r.taken[len(r.taken)-1]
	}
	if a := told(); !signed(t, a, r.secret) || !signed(t, a, next) {
		t.Errorf("signed by %q", a.header.Get("webhook-signature"))
	}
	s.Clock.Advance(24 * time.Hour)
	if a := told(); signed(t, a, r.secret) || !signed(t, a, next) {
		t.Errorf("a day later signed by %q", a.header.Get("webhook-signature"))
	}
	if err := s.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM webhook_secrets`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d secrets are left, %v", left, err)
	}
}

func TestWhyADeliveryFailed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	hung := make(chan struct{})
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { close(hung); _ = silent.Close() }()
	refusing, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = refusing.Close()
	quick := loopback.Client()
	quick.Timeout = 200 * time.Millisecond
	for _, c := range []struct {
		url, why string
		client   *http.Client
	}{
		{"http://" + silent.Addr().String(), "timeout", quick},
		{"http://" + refusing.Addr().String(), "unreachable", loopback.Client()},
		{r.server.URL, "refused_address", outbound.Allowed(nil).Client()},
		{"https://localhost:1/", "refused_address", outbound.Allowed(nil).Client()},
	} {
		if _, err := s.ChangeWebhook(t.Context(), models.Ref{}, r.id, models.WebhookChange{URL: &c.url}, nil); err != nil {
			t.Fatal(err)
		}
		s.happen("ada", 1)
		s.messenger.Client = c.client
		s.round()
		if d := r.deliveries(models.DeliveryWaiting); len(d) != 1 || d[0].LastError == nil || *d[0].LastError != c.why || d[0].LastStatus != nil {
			t.Errorf("%s: %+v", c.url, d)
		}
		if _, err := s.Pool.Exec(t.Context(), `DELETE FROM webhook_deliveries`); err != nil {
			t.Fatal(err)
		}
	}
	if len(r.arrived) != 0 {
		t.Errorf("%d arrived", len(r.arrived))
	}
}

// A redirect is an answer that is not 2xx, wherever it leads.
func TestARedirectIsAFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 1)
	r.answers(http.StatusTemporaryRedirect)
	s.round()
	if d := r.deliveries(models.DeliveryWaiting); len(d) != 1 || *d[0].LastStatus != 307 || *d[0].LastError != "status" {
		t.Errorf("%+v", d)
	}
}
