package server_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestFaceNeedsTheConsentTextAsItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for _, version := range []string{"", "2020-01"} {
		ada.post("/v1/me/face/challenge", map[string]any{"consent_version": version}).want(400, models.CodeInvalidRequest)
	}
	ada.enrolFace(someone(1)).want(201)
	if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != true || state.Body["consented_at"] == nil || state.Body["in_cohort"] != false {
		t.Fatalf("got %s", state.Raw)
	}
	ada.delete("/v1/me/face").want(204)
	if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != false || state.Body["consented_at"] != nil {
		t.Fatalf("withdrawn, yet %s", state.Raw)
	}
	ada.delete("/v1/me/face").want(404, models.CodeNotFound)
}

// Our text names how long an unused face is kept, so another time asks anew.
func TestTheBuiltInTextNamesTheRetention(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	if state := ada.get("/v1/me/face").want(200); state.Body["ask_again"] != false || !strings.Contains(string(state.Raw), "for 365 days") {
		t.Fatalf("got %s", state.Raw)
	}
	s.force(func(p *models.Policy) { p.Face.UnusedDays = 90 })
	if state := ada.get("/v1/me/face").want(200); state.Body["ask_again"] != true || !strings.Contains(string(state.Raw), "for 90 days") {
		t.Fatalf("got %s", state.Raw)
	}
}

// An admin's text takes the place of ours, asks everybody anew, and the ledger
// keeps which one was accepted and when.
func TestAnotherTextAsksAnewAndTheLedgerKeepsBoth(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	old := ada.consentVersion()
	s.force(func(p *models.Policy) {
		p.Face.Consent = models.ConsentPolicy{Version: "house-1", Language: "de", Text: []string{"Wir messen Ihr Gesicht."}, Cohort: []string{"Und leihen es."}}
	})
	if state := ada.get("/v1/me/face").want(200); state.Body["ask_again"] != true || !strings.Contains(string(state.Raw), "Wir messen") {
		t.Fatalf("got %s", state.Raw)
	}
	ada.post("/v1/me/face/consent", map[string]any{"consent_version": old, "cohort": false}).want(400, models.CodeInvalidRequest)
	ada.post("/v1/me/face/consent", map[string]any{"consent_version": "house-1", "cohort": true}).want(204)
	if state := ada.get("/v1/me/face").want(200); state.Body["ask_again"] != false || state.Body["in_cohort"] != true {
		t.Fatalf("got %s", state.Raw)
	}
	ada.post("/v1/me/face/consent", map[string]any{"consent_version": "house-1", "cohort": false}).want(204)
	ada.delete("/v1/me/face").want(204)
	// Removing a factor took the proof's freshness with it; this session's own is a moment old.
	var export struct {
		Face     any
		Consents []struct {
			Kind, Version, Language string
			TextSHA256              string  `json:"text_sha256"`
			WithdrawnAt             *string `json:"withdrawn_at"`
		}
	}
	if err := json.Unmarshal(ada.get("/v1/me/export").want(200).Raw, &export); err != nil {
		t.Fatal(err)
	}
	want := []string{"face " + old + " en", "face house-1 de", "cohort house-1 de"}
	if len(export.Consents) != len(want) || export.Face != nil {
		t.Fatalf("got %+v", export)
	}
	for i, c := range export.Consents {
		if c.Kind+" "+c.Version+" "+c.Language != want[i] || c.WithdrawnAt == nil || len(c.TextSHA256) != 64 {
			t.Errorf("row %d: %+v, want %s, withdrawn", i, c, want[i])
		}
	}
}

func TestThePrivacyPageIsForEverybody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, b := range []*browser{s.browser(), s.withTOTP("ada").browser} {
		page := string(b.get("/privacy/biometrics").want(200).Raw)
		for _, words := range []string{"365", "erase", "/account/security"} {
			if !strings.Contains(page, words) {
				t.Errorf("the page says nothing of %q", words)
			}
		}
	}
}

// "Improve" adds a sitting in other light; it takes the same person and a fresh
// proof, and no sign-in ever changes a template.
func TestImprovingAddsASittingOfTheSamePerson(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	sittings := func() int { return len(ada.get("/v1/me/face").want(200).Body["sittings"].([]any)) }
	improve := func(cam camera) *answer {
		issued := ada.askEnrol(map[string]any{"improve": true}).want(201)
		ada.before(issued, cam, nil)
		return ada.post("/v1/me/face", map[string]any{"challenge": issued.text("id")})
	}
	improve(someone(2)).want(422, models.CodeFaceMismatch)
	if n := sittings(); n != 1 {
		t.Fatalf("%d sittings after a stranger's", n)
	}
	for range models.MaxFaceCaptures + 1 {
		improve(someone(1)).want(201)
	}
	if n := sittings(); n != models.MaxFaceCaptures {
		t.Errorf("%d sittings, the oldest should have gone", n)
	}
	var before, after string
	templates := func(into *string) {
		t.Helper()
		if err := s.Pool.QueryRow(t.Context(), `SELECT string_agg(id::text, ',' ORDER BY id) FROM face_templates`).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	templates(&before)
	ada.elsewhere().showFace(someone(1)).want(200)
	if templates(&after); before != after {
		t.Error("a sign-in changed the templates")
	}
	bob := s.withTOTP("bob")
	bob.askEnrol(map[string]any{"improve": true}).want(409, models.CodeConflict)
}
