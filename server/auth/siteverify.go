package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Siteverify is a service that checks tokens as Cloudflare's Turnstile does.
type Siteverify struct {
	URL     string
	SiteKey string // for clients, to get a token by
	Secret  string
}

const siteverifyWithin = 5 * time.Second

// ask asks the service about a token. A service that can't be asked lets
// everybody through: every limit still holds, and an outage of somebody else's
// must not keep people out.
func (b *Bots) ask(ctx context.Context, token, ip string) bool {
	success, err := b.siteverify(ctx, token, ip)
	if err != nil {
		b.Log.Warn("the bot check was left out: its service can't be asked", "error", err)
		return true
	}
	return success
}

func (b *Bots) siteverify(ctx context.Context, token, ip string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, siteverifyWithin)
	defer cancel()
	form := url.Values{"secret": {b.Siteverify.Secret}, "response": {token}, "remoteip": {ip}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.Siteverify.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return false, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := b.Client.Do(request)
	if err != nil {
		return false, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Success bool `json:"success"`
	}
	// A refusal may come as 4xx, but it says so in the same words.
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer); err != nil || response.StatusCode >= 500 {
		return false, fmt.Errorf("%s answered %d", request.URL.Host, response.StatusCode)
	}
	return answer.Success, nil
}
