package server_test

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestAdminsKeepTheApps(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	root, eve := s.admin("root"), s.withTOTP("eve")
	wiki := map[string]any{"client": map[string]any{"id": "wiki", "name": "Wiki", "redirect_uris": []string{callback}}}
	eve.post("/v1/admin/clients", wiki).want(404, models.CodeNotFound)
	if refused := root.browser.post("/v1/admin/clients", wiki).want(403, models.CodeStepUpRequired); refused.text("purpose") != "manage_clients" {
		t.Errorf("got %s", refused.Raw)
	}
	secret := root.post("/v1/admin/clients", wiki).want(201).text("secret")
	root.post("/v1/admin/clients", wiki).want(409, models.CodeConflict)
	got := root.get("/v1/admin/clients/wiki").want(200)
	client := got.Body["client"].(map[string]any)
	if got.text("managed") != "hand" || got.Body["secrets"] != 1.0 || client["auth_method"] != "client_secret_basic" || client["acr"] != "mfa" {
		t.Errorf("got %s", got.Raw)
	}
	if strings.Contains(string(got.Raw), secret) || secret == "" {
		t.Error("the secret is shown again, or never was")
	}
	ada := s.withTOTP("ada")
	waits := waitingIn(ada.get("/oauth/authorize?" + asks("wiki", callback).Encode()).want(200)) // it is no first party
	ada.post("/v1/authorizations/"+waits, map[string]any{"decision": "allow"}).want(204)
	s.redeem("wiki", secret, ada.get("/authorize/"+waits).back().Get("code")).want(200)

	rotated := root.post("/v1/admin/clients/wiki/secrets", map[string]any{}).want(201).text("secret")
	for _, works := range []string{secret, rotated} {
		s.redeem("wiki", works, ada.authorize(asks("wiki", callback)).Get("code")).want(200)
	}
	wiki["client"].(map[string]any)["first_party"] = true
	root.do("PUT", "/v1/admin/clients/wiki", wiki).want(204)
	wiki["client"].(map[string]any)["id"] = "other"
	if a := root.do("PUT", "/v1/admin/clients/wiki", wiki).want(400, models.CodeInvalidRequest); a.text("field") != "client.id" {
		t.Errorf("got %s", a.Raw)
	}
	for _, bad := range []map[string]any{
		{"id": "x", "name": "X"}, {"id": "good", "name": ""}, {"id": "good", "name": "X", "redirect_uris": []string{"javascript:alert(1)"}},
		{"id": "good", "name": "X", "public": true, "auth_method": "client_secret_basic"}, {"id": "good", "name": "X", "owner": "root"},
	} {
		root.post("/v1/admin/clients", map[string]any{"client": bad}).want(400, models.CodeInvalidRequest)
	}
	tokens := s.redeem("wiki", rotated, ada.authorize(asks("wiki", callback)).Get("code")).want(200)
	root.delete("/v1/admin/clients/wiki").want(204)
	if a := s.userinfo(tokens.text("access_token")); a.Status != 401 {
		t.Errorf("a token of an app that is gone: %d %s", a.Status, a.Raw)
	}
	root.get("/v1/admin/clients/wiki").want(404, models.CodeNotFound)
	root.delete("/v1/admin/clients/wiki").want(404, models.CodeNotFound)
	for _, fact := range []string{"client_added", "client_changed", "client_removed", "client_secret_rotated"} {
		if s.facts(fact) == 0 {
			t.Errorf("nobody recorded %s", fact)
		}
	}
}
