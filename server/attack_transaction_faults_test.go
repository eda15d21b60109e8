package server_test

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// moved is the browser at another server of the site.
func (b *browser) moved(s *site) *browser {
	there := b.clone()
	there.site = s
	return there
}

// stands is what the records say of a transaction: where it stands, and where its session.
func (s *site) stands(id string) (status string, opened bool, session *string) {
	s.t.Helper()
	err := s.Pool.QueryRow(s.t.Context(), `
		SELECT t.status, t.opened_at IS NOT NULL, s.state
		FROM transactions t
		LEFT JOIN sessions s ON s.transaction_id = t.id
		WHERE t.id = $1`, id).Scan(&status, &opened, &session)
	if err != nil {
		s.t.Fatal(err)
	}
	return status, opened, session
}

// The power goes out before each word that a transaction's requests say to Postgres, and
// after each while its answer is on the way: see TestAttackPowerGoesOut. An address opens
// once, a proof and its session stand or fall together, and a result is never given twice
// and never lost while its code still counts.
func TestAttackPowerGoesOutInATransaction(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(s, there *site, b *bank, k *key, cut func(func() *answer) (*answer, bool)) bool{
		"opened": func(s, there *site, b *bank, _ *key, cut func(func() *answer) (*answer, bool)) bool {
			tab := b.ask("ana").want(201).tab()
			a, out := cut(func() *answer {
				return tab.moved(there).post("/v1/transactions/"+tab.id+"/open", map[string]any{"secret": tab.secret})
			})
			status, opened, session := s.stands(tab.id)
			if status != "pending" || opened != (session != nil) || a.Status == 200 && !opened {
				t.Errorf("answered %d: it is %s, opened %t, with a session %t", a.Status, status, opened, session != nil)
			}
			if opened {
				tab.open().want(409, models.CodeConflict) // the answer may be lost, and with it the transaction
			} else {
				tab.open().want(200)
			}
			return out
		},
		"passed": func(s, there *site, b *bank, k *key, cut func(func() *answer) (*answer, bool)) bool {
			tab := b.ask("ana").want(201).opened()
			signed := k.sign(t, tab.post("/v1/verify/passkey/options", map[string]any{}).want(200))
			a, out := cut(func() *answer { return tab.moved(there).post("/v1/verify/passkey", signed) })
			status, _, session := s.stands(tab.id)
			if session == nil || (status == "passed") != (*session == string(models.TransactionPassed)) || a.Status == 200 && status != "passed" {
				t.Errorf("answered %d: it is %s, its session %v", a.Status, status, session)
			}
			if status != "passed" {
				tab.verifyKey(k).want(200) // what was cut counts as a failure until one passes
			}
			return out
		},
		"redeemed": func(s, there *site, b *bank, k *key, cut func(func() *answer) (*answer, bool)) bool {
			tab := b.ask("ana").want(201).opened()
			tab.verifyKey(k).want(200)
			code := tab.comeBack()
			a, out := cut(func() *answer {
				return b.moved(there).post("/v1/transactions/"+tab.id+"/result", map[string]any{"code": code})
			})
			status, _, session := s.stands(tab.id)
			if (status == "redeemed") != (session == nil) || a.Status == 200 && status != "redeemed" {
				t.Errorf("answered %d: it is %s, with a session %t", a.Status, status, session != nil)
			}
			again := b.redeem(tab, code)
			if status == "redeemed" {
				again.want(400, models.CodeInvalidGrant)
			} else {
				again.want(200)
			}
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.force(func(p *models.Policy) {
				wide := models.Limit{Max: 10_000, Window: models.Duration(time.Minute)}
				p.Limits.Transaction, p.Limits.Transactions, p.Limits.Passkey = wide, wide, models.Limit{Max: 100, Window: models.Duration(10 * time.Second)}
			})
			b := s.bank()
			k := b.withKey("ana", true)
			there, power := s.fragile()
			points := 0
			for _, heard := range []bool{false, true} {
				for n, out := 1, true; out; n++ {
					out = do(s, there, b, k, func(ask func() *answer) (*answer, bool) {
						power.off(n, heard)
						a := ask()
						out := power.on()
						if a.Status >= 300 && (!out || a.Status != 503) {
							t.Fatalf("word %d, heard %t: got %d %s", n, heard, a.Status, a.Raw)
						}
						return a, out
					})
					if out {
						points++
					}
					s.Clock.Advance(time.Second)
				}
			}
			if points < 4 {
				t.Errorf("the power went out at %d words alone", points)
			}
		})
	}
}

// An app that asks while it is deleted gets an answer, and leaves no subject behind.
func TestAnAppAsksWhileItIsDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range 5 {
		b := s.bank()
		b.ask("ana", enrolling).want(201)
		counts := parallel(12, func(i int) *answer {
			if i == 0 {
				if err := s.DeleteApp(t.Context(), models.Ref{}, "bank", nil); err != nil {
					t.Errorf("it can't be deleted: %v", err)
				}
			}
			return (&bank{b.clone(), s}).ask("ana", enrolling).answer
		})
		if counts[201]+counts[401]+counts[404]+counts[429] != 12 {
			t.Errorf("answers %v", counts)
		}
		var left int
		if err := s.Pool.QueryRow(t.Context(), `SELECT count(*) FROM users WHERE client_id = 'bank'`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d subjects are left; %v", left, err)
		}
	}
}
