package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	wayCookie     = "way"     // binds a sign-in that is under way to this browser
	refreshCookie = "refresh" // the refresh token, for this server alone
)

// signIn sends the browser to Sallyport, with PKCE.
func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	a.keep(w, wayCookie, state+"."+verifier, 10*time.Minute, http.SameSiteLaxMode)
	http.Redirect(w, r, a.config.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier), oidc.Nonce(state)), http.StatusSeeOther)
}

// callback takes the code that came back, of a way that began in this browser.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	state, verifier, ok := strings.Cut(a.kept(r, wayCookie), ".")
	a.forget(w, wayCookie)
	if !ok || r.FormValue("state") != state || r.FormValue("error") != "" {
		http.Error(w, "That took too long, began in another browser, or was refused. Sign in again.", http.StatusBadRequest)
		return
	}
	tokens, err := a.config.Exchange(r.Context(), r.FormValue("code"), oauth2.VerifierOption(verifier))
	if err == nil {
		var id *oidc.IDToken
		raw, _ := tokens.Extra("id_token").(string)
		if id, err = a.verifier.Verify(r.Context(), raw); err == nil && id.Nonce != state {
			http.Error(w, "This answer belongs to another question.", http.StatusBadRequest)
			return
		}
	}
	if err != nil {
		log.Print("sign-in: ", err)
		http.Error(w, "That didn't work. Sign in again.", http.StatusBadGateway)
		return
	}
	a.keep(w, refreshCookie, tokens.RefreshToken, 30*24*time.Hour, http.SameSiteStrictMode)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// token trades the refresh token for the next one and an access token. Each serves once: the
// page sees to it that of several tabs one asks at a time. One that comes twice ends the
// sign-in, for then somebody else may have it.
func (a *app) token(w http.ResponseWriter, r *http.Request) {
	refresh := a.kept(r, refreshCookie)
	if refresh == "" {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	tokens, err := a.config.TokenSource(r.Context(), &oauth2.Token{RefreshToken: refresh}).Token()
	switch {
	case refused(err):
		a.forget(w, refreshCookie)
		http.Error(w, "the sign-in is over", http.StatusUnauthorized)
	case err != nil:
		log.Print("token: ", err)
		http.Error(w, "try again shortly", http.StatusServiceUnavailable)
	default:
		a.keep(w, refreshCookie, tokens.RefreshToken, 30*24*time.Hour, http.SameSiteStrictMode)
		answer(w, map[string]any{"access_token": tokens.AccessToken, "expires_in": int(time.Until(tokens.Expiry).Seconds())})
	}
}

// signOut forgets the sign-in here, and says where the session at Sallyport is ended too.
func (a *app) signOut(w http.ResponseWriter, _ *http.Request) {
	a.forget(w, refreshCookie)
	to := url.Values{"client_id": {a.config.ClientID}, "post_logout_redirect_uri": {a.origin + "/"}}
	answer(w, map[string]string{"to": a.end + "?" + to.Encode()})
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// name has the prefix by which browsers keep a cookie for this very host, where there is https.
func (a *app) name(cookie string) string {
	if strings.HasPrefix(a.origin, "https://") {
		return "__Host-" + cookie
	}
	return cookie
}

func (a *app) kept(r *http.Request, name string) string {
	cookies := r.CookiesNamed(a.name(name))
	if len(cookies) != 1 {
		return ""
	}
	return cookies[0].Value
}

func (a *app) keep(w http.ResponseWriter, name, value string, lives time.Duration, site http.SameSite) {
	http.SetCookie(w, &http.Cookie{
		Name: a.name(name), Value: value, Path: "/", MaxAge: int(lives.Seconds()),
		HttpOnly: true, Secure: strings.HasPrefix(a.origin, "https://"), SameSite: site,
	})
}

func (a *app) forget(w http.ResponseWriter, name string) {
	a.keep(w, name, "", -time.Second, http.SameSiteStrictMode)
}
