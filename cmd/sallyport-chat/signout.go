package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// signOut answers POST /sign-out: here, and then at the issuer, which tells the other apps.
func (c *chat) signOut(w http.ResponseWriter, r *http.Request) {
	token := hashOf(cookie(r, sessionCookie))
	s, err := c.records.session(r.Context(), token, c.now())
	if errors.Is(err, errGone) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	if err == nil {
		err = c.records.endSession(r.Context(), token)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.lines.closeSession(token)
	c.setCookie(w, sessionCookie, "", time.Unix(1, 0))
	v := url.Values{"id_token_hint": {s.IDToken}, "post_logout_redirect_uri": {c.url + "/"}, "client_id": {c.config.ClientID}}
	http.Redirect(w, r, c.end+"?"+v.Encode(), http.StatusSeeOther)
}

// logoutEvent is what makes a logout token one (OpenID Connect Back-Channel Logout
// section 2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

type logoutToken struct {
	ID      string                     `json:"jti"`
	Subject string                     `json:"sub"`
	Session string                     `json:"sid"`
	Nonce   *string                    `json:"nonce"`
	Events  map[string]json.RawMessage `json:"events"`
}

// backchannelLogout answers POST /logout/backchannel: the issuer says that a session is
// over, whoever ended it and wherever. What hangs on it ends, sockets too.
func (c *chat) backchannelLogout(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	told, ends, err := c.readLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		slog.Warn("a logout token was not good", "error", err)
		problem(w, http.StatusBadRequest, "invalid_request", "this is no logout token for us", "")
		return
	}
	tokens, err := c.records.logOut(r.Context(), told.ID, told.Subject, told.Session, ends)
	if errors.Is(err, errGone) {
		problem(w, http.StatusBadRequest, "invalid_request", "this logout token came before", "")
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, token := range tokens {
		c.lines.closeSession(hash(token))
	}
	w.WriteHeader(http.StatusOK)
}

// readLogout holds a logout token to all that section 2.6 asks for. The verifier looks at
// signature, issuer, audience and end; an ID token, which it would take too, is none.
func (c *chat) readLogout(ctx context.Context, raw string) (told logoutToken, ends time.Time, err error) {
	id, err := c.verifier.Verify(ctx, raw)
	if err != nil {
		return told, ends, err
	}
	if err := id.Claims(&told); err != nil {
		return told, ends, err
	}
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return told, ends, err
	}
	typ, _ := signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	_, event := told.Events[logoutEvent]
	switch {
	case typ != "logout+jwt", !event, told.Nonce != nil:
		return told, ends, errors.New("it is another sort of token")
	case told.ID == "", told.Session == "" && told.Subject == "":
		return told, ends, errors.New("it doesn't say which it is, or whom it is about")
	case c.now().Sub(id.IssuedAt) > 5*time.Minute:
		return told, ends, errors.New("it is old")
	}
	return told, id.Expiry, nil
}
