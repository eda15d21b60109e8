package server_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server"
	"github.com/sallyport/sallyport/server/place"
)

// withPlaces is a site that tells people, and knows places.
func withPlaces(t *testing.T) *site {
	t.Helper()
	s := withMail(t)
	places, err := place.Open(filepath.Join(facetest.Dir(t), "geo", "GeoIP2-City-Test.mmdb"))
	if err != nil {
		t.Fatal(err)
	}
	s.places = places
	s.server = s.newServer(slog.New(slog.DiscardHandler), func(*server.Deps) {})
	return s
}

func TestSessionsAndLettersNamePlaces(t *testing.T) {
	t.Parallel()
	const linkoeping, private = "89.160.20.112", "10.0.0.7"
	s := withPlaces(t)
	ada := s.withTOTP("ada")
	s.mailbag() // of the first factor
	for ip, want := range map[string]string{linkoeping: "Linköping, Sweden", private: ""} {
		s.nextStep()
		there := &person{browser: s.browser().from(ip), name: "ada", secret: ada.secret}
		there.post("/v1/login", map[string]any{"identifier": "ada", "password": password}).want(200)
		there.post("/v1/verify/totp", map[string]any{"code": there.code()}).want(200).state(models.Authenticated, models.ACRAAL2)

		for _, entry := range there.get("/v1/me/sessions").want(200).Body["sessions"].([]any) {
			if row := entry.(map[string]any); row["current"] == true && (row["place"] != want || row["ip"] != ip) {
				t.Errorf("%s: listed at %q as %q", ip, row["ip"], row["place"])
			}
		}
		if page := string(there.get("/account/sessions").want(200).Raw); want != "" && !strings.Contains(page, want) {
			t.Errorf("%s: the page doesn't say %s", ip, want)
		}
		letters := s.mailbag()
		if len(letters) != 1 || strings.Contains(letters[0].Text, "Linköping, Sweden") != (want != "") {
			t.Errorf("%s: got letters %+v", ip, letters)
		}
	}
}
