package server_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// admin is a person whom the command line made an admin, at a server that sends letters.
func (s *site) admin(name string) *person {
	s.t.Helper()
	p := s.withTOTP(name)
	if err := s.SetAdmin(context.Background(), name, true); err != nil {
		s.t.Fatal(err)
	}
	return p.mailing()
}

// assisted is somebody new who lost everything, for whom an admin has asked.
func (s *site) assisted(name string, by *person) (lost *person, id string) {
	s.t.Helper()
	lost = s.withTOTP(name)
	return lost, by.post("/v1/admin/recoveries", map[string]any{"username": name}).want(201).text("id")
}

func TestTwoAdminsLetSomebodyBackIn(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	root, second := s.admin("root"), s.admin("second")
	s.mailbag()
	_, id := s.assisted("ada", root)
	if s.letter(models.LinkStopRecovery) == "" {
		t.Error("ada was not told")
	}
	listed := second.get("/v1/admin/recoveries").want(200).Body["recoveries"].([]any)
	if row := listed[0].(map[string]any); len(listed) != 1 || row["username"] != "ada" || row["opened_by"] != "root" || row["own"] != false {
		t.Errorf("listed %v", listed)
	}
	// Nobody is let in by one of them, nor by both at once being the same.
	root.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(409, models.CodeConflict)
	if s.letter(models.LinkAssistedRecovery) != "" {
		t.Fatal("one admin is enough")
	}
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(204)
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(404, models.CodeNotFound)
	token := s.letter(models.LinkAssistedRecovery)
	counts := parallel(20, func(int) *answer {
		return s.browser().post("/v1/links/assisted-recovery", map[string]any{"token": token})
	})
	if counts[200] != 1 || counts[410] != 19 {
		t.Errorf("answers %v", counts)
	}
	id = second.post("/v1/admin/recoveries", map[string]any{"username": "ada"}).want(201).text("id")
	root.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(204)
	ada := &person{browser: s.browser(), name: "ada"}
	ada.post("/v1/links/assisted-recovery", map[string]any{"token": s.letter(models.LinkAssistedRecovery)}).want(200).state(models.Recovering, models.ACRRecovery)
	// No password is set for anybody: she sets a factor up, and signs in as ever.
	ada.get("/v1/me").want(403, models.CodeRecovering)
	ada.post("/v1/me/password", map[string]any{"current": password, "new": fresh}).want(403, models.CodeRecovering)
	phone := newKey(true)
	ada.addPasskey(phone, "").want(201)
	s.browser().loginPasskey(phone).want(200).state(models.Authenticated, models.ACRAAL2)
}

func TestAssistedRecoveryTakesFourEyes(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	root, second, eve := s.admin("root"), s.admin("second"), s.withTOTP("eve").mailing()
	// For others there is nothing here, in words and status.
	nowhere := string(eve.get("/v1/admin/nothing").want(404).Raw)
	for _, a := range []*answer{
		eve.get("/v1/admin/recoveries"), eve.post("/v1/admin/recoveries", map[string]any{"username": "root"}),
	} {
		if a.want(404, models.CodeNotFound); string(a.Raw) != nowhere {
			t.Errorf("%s: %s", a.what, a.Raw)
		}
	}
	eve.get("/admin/recoveries").want(404)
	root.get("/admin/recoveries").want(200)
	// Each word takes a step-up of its own, for just that.
	root.browser.post("/v1/admin/recoveries", map[string]any{"username": "eve"}).want(403, models.CodeStepUpRequired)
	root.post("/v1/admin/recoveries", map[string]any{"username": "nobody"}).want(404, models.CodeNotFound)
	root.post("/v1/admin/recoveries", map[string]any{"username": "root"}).want(409, models.CodeConflict)
	s.register("fay")
	root.post("/v1/admin/recoveries", map[string]any{"username": "fay"}).want(409, models.CodeConflict)
	id := root.post("/v1/admin/recoveries", map[string]any{"username": "eve"}).want(201).text("id")
	root.post("/v1/admin/recoveries", map[string]any{"username": "eve"}).want(409, models.CodeConflict)
	second.browser.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(403, models.CodeStepUpRequired)

	// Who is to come back doesn't agree to it: the step-up for that shows that nothing is
	// lost, and with a factor that is newer it takes another admin all the same.
	if err := s.SetAdmin(t.Context(), "eve", true); err != nil {
		t.Fatal(err)
	}
	eve.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(404, models.CodeNotFound)
	id = root.post("/v1/admin/recoveries", map[string]any{"username": "eve"}).want(201).text("id")
	if _, err := s.Pool.Exec(t.Context(), `UPDATE totp SET created_at = $1`, s.Clock.Now()); err != nil {
		t.Fatal(err)
	}
	eve.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(409, models.CodeConflict)
	// Whoever is no admin any more has no say, from now on.
	if err := s.SetAdmin(t.Context(), "root", false); err != nil {
		t.Fatal(err)
	}
	root.get("/v1/admin/recoveries").want(404, models.CodeNotFound)
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(404, models.CodeNotFound)
	second.delete("/v1/admin/recoveries/" + id).want(204)
	second.delete("/v1/admin/recoveries/"+id).want(404, models.CodeNotFound)
}

// Its owner stops it, before and after the second word, and time does.
func TestAnAssistedRecoveryIsStopped(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	root, second := s.admin("root"), s.admin("second")
	s.mailbag()
	ada, id := s.assisted("ada", root)
	s.browser().post("/v1/links/stop-recovery", map[string]any{"token": s.letter(models.LinkStopRecovery)}).want(204)
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(404, models.CodeNotFound)

	id = root.post("/v1/admin/recoveries", map[string]any{"username": "ada"}).want(201).text("id")
	s.Clock.Advance(time.Minute)
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(204)
	token := s.letter(models.LinkAssistedRecovery)
	// She finds her phone after all.
	s.relogin(ada)
	s.browser().post("/v1/links/assisted-recovery", map[string]any{"token": token}).want(410, models.CodeChallengeExpired)

	id = root.post("/v1/admin/recoveries", map[string]any{"username": "ada"}).want(201).text("id")
	s.Clock.Advance(models.AssistedFor)
	second = s.relogin(second)
	second.post("/v1/admin/recoveries/"+id+"/approve", map[string]any{}).want(404, models.CodeNotFound)
}

func TestAdminsPageSaysWhoHasToAgree(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	root, second := s.admin("root"), s.admin("second")
	s.assisted("ada", root)
	own, other := string(root.get("/admin/recoveries").want(200).Raw), string(second.get("/admin/recoveries").want(200).Raw)
	if strings.Contains(own, "data-approve") || !strings.Contains(other, "data-approve") {
		t.Error("the page offers to agree to the wrong one")
	}
}
