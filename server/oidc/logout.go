package oidc

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Doer sends a request to an app, to public addresses alone.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// LogoutStore is what telling apps of ends needs of the records.
type LogoutStore interface {
	Logout(ctx context.Context, id models.ID) (models.Logout, error)
	LogoutTold(ctx context.Context, id models.ID) error
}

// Logouts tells apps that a session is over (OpenID Connect Back-Channel Logout 1.0).
type Logouts struct {
	Store  LogoutStore
	Keys   *Keys
	Issuer string
	Client Doer
	Now    func() time.Time
}

const logoutWithin = 10 * time.Second

// Send tells one app. An error has it tried again; an app that answers 400 has nothing to
// end, and is told no more.
func (l *Logouts) Send(ctx context.Context, id models.ID) error {
	out, err := l.Store.Logout(ctx, id)
	if models.CodeOf(err) == models.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	now := l.Now()
	token, err := l.Keys.Sign(ctx, out.App.IDTokenAlg, typLogout, map[string]any{
		"iss": l.Issuer, "aud": out.App.ID, "sub": out.UserID, "sid": out.SessionID, "jti": out.ID,
		"iat": now.Unix(), "exp": now.Add(2 * time.Minute).Unix(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, logoutWithin)
	defer cancel()
	body := strings.NewReader(url.Values{"logout_token": {token}}.Encode())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, out.App.BackchannelLogoutURI, body)
	if err != nil {
		return fmt.Errorf("logout of %s: %w", out.App.ID, err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := l.Client.Do(r)
	if err != nil {
		return fmt.Errorf("logout of %s: %w", out.App.ID, err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 && answer.StatusCode != http.StatusBadRequest {
		return fmt.Errorf("logout of %s: status %d", out.App.ID, answer.StatusCode)
	}
	return l.Store.LogoutTold(ctx, id)
}

// audienceOf reads whom a token is for that was verified already.
func audienceOf(token string) string {
	payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims struct {
		Audience string `json:"aud"`
	}
	_ = json.Unmarshal(payload, &claims)
	return claims.Audience
}
