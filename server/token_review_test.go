package server_test

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
)

// review asks about a token as a Kubernetes API server does.
func (s *site) review(client, secret, token string, audiences ...string) *answer {
	s.t.Helper()
	body, err := json.Marshal(map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "metadata": map[string]any{"creationTimestamp": nil},
		"spec": map[string]any{"token": token, "audiences": audiences}, "status": map[string]any{"user": map[string]any{}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	b := &browser{site: s, t: s.t, header: map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte(client+":"+secret))}}
	return b.do("POST", "/oauth/token-review", form{"application/json", body})
}

func (a *answer) status() map[string]any {
	status, _ := a.want(200).Body["status"].(map[string]any)
	return status
}

func TestAKubernetesServerReviewsTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.newApp(models.App{
		ID: "kubernetes", Name: "Cluster", FirstParty: true, RedirectURIs: []string{callback}, Scopes: []string{"openid", "groups"}, Groups: []string{"ops", "system:masters"},
	})
	ada := s.withTOTP("ada")
	for _, group := range []string{"ops", "system:masters"} {
		if err := s.SetGroup(t.Context(), "ada", group, true); err != nil {
			t.Fatal(err)
		}
	}
	tokens := s.redeem("kubernetes", secret, ada.authorize(asks("kubernetes", callback, "scope", "openid groups")).Get("code")).want(200)
	for _, token := range []string{tokens.text("id_token"), tokens.text("access_token")} {
		a := s.review("kubernetes", secret, token, "kubernetes", "other")
		user, _ := a.status()["user"].(map[string]any)
		if a.status()["authenticated"] != true || a.text("apiVersion") != "authentication.k8s.io/v1" || a.text("kind") != "TokenReview" || a.Body["spec"] != nil {
			t.Fatalf("got %s", a.Raw)
		}
		groups, extra := user["groups"].([]any), user["extra"].(map[string]any)
		// Nobody is a master of the cluster by the name of a group of ours.
		if user["username"] != "ada" || len(groups) != 1 || groups[0] != "ops" || extra["localhost/acr"].([]any)[0] != "aal2" {
			t.Errorf("got %v", user)
		}
		if got := s.review("kubernetes", secret, token, "other").status(); got["authenticated"] != false {
			t.Errorf("for another audience: %v", got)
		}
	}
	if a := s.review("kubernetes", "wrong", tokens.text("id_token")); a.Status != 401 {
		t.Errorf("got %d %s", a.Status, a.Raw)
	}
	b := &browser{site: s, t: t, header: map[string]string{"Authorization": "Basic " + base64.StdEncoding.EncodeToString([]byte("kubernetes:"+secret))}}
	for _, body := range []string{"", "{}", `{"kind":"TokenReview"}`, `{"apiVersion":"v9","kind":"TokenReview","spec":{"token":"x"}}`} {
		b.do("POST", "/oauth/token-review", form{"application/json", []byte(body)}).want(400, models.CodeInvalidRequest)
	}
}

// An ID token of another app, one that is over, an access token of another app, one whose
// session ended, and one whose holder left the group.
func TestAttackReviewedTokens(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secret := s.newApp(models.App{ID: "kubernetes", Name: "Cluster", FirstParty: true, RedirectURIs: []string{callback}, Groups: []string{"ops"}})
	chat := s.chatApp()
	ada := s.withTOTP("ada")
	if err := s.SetGroup(t.Context(), "ada", "ops", true); err != nil {
		t.Fatal(err)
	}
	no := func(what, token string) {
		t.Helper()
		if got := s.review("kubernetes", secret, token).status(); got["authenticated"] != false || got["user"] != nil || got["error"] == "" {
			t.Errorf("%s: got %v", what, got)
		}
	}
	fresh := func() *answer {
		return s.redeem("kubernetes", secret, ada.authorize(asks("kubernetes", callback)).Get("code")).want(200)
	}
	old := fresh() // so that the session has given something to the asking app as well
	theirs := s.redeem("chat", chat, ada.authorize(asks("chat", callback)).Get("code")).want(200)
	no("an ID token of another app", theirs.text("id_token"))
	no("an access token of another app", theirs.text("access_token"))
	no("nothing", "")
	no("no token", "a.b.c")
	s.Clock.Advance(15*time.Minute + time.Second)
	no("an ID token that is over", old.text("id_token"))
	own := fresh()
	if err := s.SetGroup(t.Context(), "ada", "ops", false); err != nil {
		t.Fatal(err)
	}
	no("who left the group", own.text("id_token"))
	no("who left the group", own.text("access_token"))
	if err := s.SetGroup(t.Context(), "ada", "ops", true); err != nil {
		t.Fatal(err)
	}
	if got := s.review("kubernetes", secret, own.text("id_token")).status(); got["authenticated"] != true {
		t.Errorf("back again: %v", got)
	}
	ada.delete("/v1/session").want(204)
	no("who signed out", own.text("id_token"))
	no("who signed out", own.text("access_token"))
}
