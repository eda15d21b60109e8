package server_test

import (
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
)

// A new net leads people over step by step: who enrolled with the old one signs
// in by it and its own threshold, is told to enrol anew, and from then on is
// compared by the new one alone.
func TestAnotherNetLeadsPeopleOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	s.withFace("eve", 2)
	old, fresh := &biometricstest.Engine{}, &biometricstest.Engine{}
	next := biometricstest.Model
	next.Name, next.DescriptorSHA256 = "taguchi-v1", "4444444444444444444444444444444444444444444444444444444444444444"
	fresh.SetStatus(biometrics.Status{Ready: true, Model: next})
	before := s.policies.Current().Face.Yardstick
	s.force(func(p *models.Policy) {
		p.Face.Model, p.Face.Threshold = next.Name, 0.4
		p.Face.Previous = &before
	})
	moved := s.another(func(d *server.Deps) { d.Engine, d.Previous = fresh, old })
	in := func() *person {
		p := *ada
		p.browser = moved.site.browser()
		p.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		return &p
	}
	in().showFace(someone(1)).want(200)
	in().showFace(someone(2)).want(422, models.CodeFaceMismatch)
	if old.Calls() == 0 || fresh.Calls() != 0 {
		t.Fatalf("the old net looked %d times, the new one %d", old.Calls(), fresh.Calls())
	}
	// Old and new are never compared with each other.
	tab := in()
	s.nextStep()
	tab.post("/v1/verify/totp", map[string]any{"code": tab.code()}).want(200)
	if state := tab.get("/v1/me/face").want(200); state.Body["outdated"] != true {
		t.Errorf("nobody is told: %s", state.Raw)
	}
	tab.askEnrol(map[string]any{"improve": true}).want(409, models.CodeConflict)
	tab.enrolFace(someone(1)).want(201)
	looked := old.Calls()
	in().showFace(someone(1)).want(200)
	if old.Calls() != looked || fresh.Calls() == 0 {
		t.Errorf("after enrolling anew the old net looked again")
	}
	if state := tab.get("/v1/me/face").want(200); state.Body["outdated"] != false || len(state.Body["sittings"].([]any)) != 1 {
		t.Errorf("got %s", state.Raw)
	}
	// Without the old yardstick its templates serve for nothing.
	s.force(func(p *models.Policy) { p.Face.Previous = nil })
	eve := moved.site.browser()
	eve.post("/v1/login", map[string]any{"identifier": "eve", "password": password}).want(200)
	eve.post("/v1/verify/face/challenge", map[string]any{}).want(503, models.CodeFaceUnavailable)
}
