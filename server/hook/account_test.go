package hook_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// erase has an account go whose time has come.
func (s *site) erase(user models.ID) {
	s.t.Helper()
	if _, err := s.Pool.Exec(s.t.Context(), `UPDATE users SET deletion_due_at = $2 WHERE id = $1`, user, s.Clock.Now()); err != nil {
		s.t.Fatal(err)
	}
	if n, err := s.EraseAccounts(s.t.Context()); err != nil || n != 1 {
		s.t.Fatalf("erased %d, %v", n, err)
	}
}

// mentions counts the deliveries that name an account.
func (s *site) mentions(user models.ID) (n int) {
	s.t.Helper()
	err := s.Pool.QueryRow(s.t.Context(), `SELECT count(*) FROM webhook_deliveries d WHERE d::text LIKE '%' || $1 || '%'`, string(user)).Scan(&n)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// Of an account that went, the one delivery is left that says so, until it has arrived.
func TestADeletedAccountIsToldAndThenForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	ada := s.user("ada")
	r.answers(http.StatusInternalServerError)
	s.happen("ada", 3)
	s.settle()
	s.erase(ada)
	if n := s.mentions(ada); n != 1 {
		t.Errorf("%d deliveries name the account", n)
	}
	// What was under way when the account went is over before it is told.
	s.round()
	if len(r.arrived) != 1 {
		t.Errorf("%d arrived", len(r.arrived))
	}
	s.Clock.Advance(time.Minute)
	s.round() // fails, and is kept
	if n := s.mentions(ada); n != 1 {
		t.Errorf("%d deliveries name the account while it is tried again", n)
	}
	r.answers(http.StatusOK)
	s.Clock.Advance(time.Minute)
	s.settle()
	if len(r.taken) != 1 || r.taken[0].Type != models.TypeAccountDeleted || r.taken[0].Data.User.ID != ada {
		t.Fatalf("%d arrived", len(r.taken))
	}
	if n := s.mentions(ada); n != 0 {
		t.Errorf("%d deliveries name an account that is gone", n)
	}
}

func TestDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 1)
	s.settle()
	r.answers(http.StatusGone)
	s.happen("ada", 1)
	s.settle()
	for _, step := range []struct {
		days, delivered, dead int
	}{{6, 1, 1}, {1, 0, 1}, {22, 0, 1}, {1, 0, 0}} {
		s.Clock.Advance(time.Duration(step.days) * 24 * time.Hour)
		if err := s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a, b := len(r.deliveries(models.DeliveryDelivered)), len(r.deliveries(models.DeliveryDead)); a != step.delivered || b != step.dead {
			t.Errorf("after %d days more: %d delivered, %d dead", step.days, a, b)
		}
	}
}

// The secret of an endpoint lies nowhere in clear.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.receiver()
	s.user("ada")
	s.happen("ada", 1)
	for _, table := range []string{"webhook_endpoints", "webhook_secrets", "webhook_deliveries", "events", "river_job"} {
		var text string
		if err := s.Pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(t::text, ' '), '') FROM `+table+` t`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, strings.TrimPrefix(r.secret, "whsec_")) || table == "river_job" && strings.Contains(text, "admin.granted") {
			t.Errorf("%s: %s", table, text)
		}
	}
	// A secret that is moved to another endpoint doesn't open there.
	other := s.receiver()
	if _, err := s.Pool.Exec(t.Context(), `UPDATE webhook_secrets SET endpoint_id = $1 WHERE endpoint_id = $2`, other.id, r.id); err != nil {
		t.Fatal(err)
	}
	s.happen("ada", 1)
	for _, id := range s.waiting() {
		_, _ = s.messenger.Deliver(t.Context(), id)
	}
	if len(other.arrived) != 0 {
		t.Errorf("%d arrived", len(other.arrived))
	}
}
