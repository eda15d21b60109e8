package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	signInWithin    = 10 * time.Minute
	sessionLifetime = 12 * time.Hour
	actWithin       = 2 * time.Minute // from a fresh sign-in to what it is for
	sessionCookie   = "chat-session"
	signInCookie    = "chat-sign-in"
)

// signIn answers GET /sign-in: it sends the browser to the issuer, and keeps what the
// answer will be held to. With an act that it is for, the person signs in once more:
// max_age=0 (OpenID Connect Core section 3.1.2.1) is all of a step-up.
func (c *chat) signIn(w http.ResponseWriter, r *http.Request) {
	state, browser, nonce, verifier := newToken(), newToken(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	ends := c.now().Add(signInWithin)
	begun := signIn{Verifier: verifier, Nonce: nonce, LeadsTo: path(r.URL.Query().Get("next")), Act: r.URL.Query().Get("act"), BegunAt: c.now()}
	if err := c.records.tidy(r.Context(), c.now()); err != nil {
		c.fail(w, r, err)
		return
	}
	if err := c.records.beginSignIn(r.Context(), hashOf(state), hashOf(browser), begun, ends); err != nil {
		c.fail(w, r, err)
		return
	}
	c.setCookie(w, signInCookie, browser, ends)
	options := []oauth2.AuthCodeOption{oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier)}
	if begun.Act != "" {
		options = append(options, oauth2.SetAuthURLParam("max_age", "0"))
	}
	http.Redirect(w, r, c.config.AuthCodeURL(state, options...), http.StatusSeeOther)
}

// callback answers GET /callback: it takes what the issuer says, once, from the browser
// that was sent there.
func (c *chat) callback(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("iss") != c.issuer { // RFC 9207: an answer of somebody else's
		c.page(w, r, http.StatusBadRequest, view{Problem: "This answer came from somebody else than we asked. Please sign in again."})
		return
	}
	begun, err := c.records.endSignIn(r.Context(), hashOf(q.Get("state")), hashOf(cookie(r, signInCookie)), c.now())
	switch {
	case errors.Is(err, errGone):
		c.page(w, r, http.StatusBadRequest, view{Problem: "This sign-in took too long, or was begun in another browser. Please sign in again."})
		return
	case err != nil:
		c.fail(w, r, err)
		return
	case q.Get("error") == "access_denied":
		http.Redirect(w, r, "/", http.StatusSeeOther) // they would rather not
		return
	case q.Get("error") != "":
		slog.Warn("the issuer refused", "error", q.Get("error"))
		c.page(w, r, http.StatusBadGateway, view{Problem: "You couldn’t be signed in. Please try again."})
		return
	}
	s, err := c.redeem(r.Context(), q.Get("code"), begun)
	if err != nil {
		slog.Warn("a code was not good", "error", err)
		c.page(w, r, http.StatusBadGateway, view{Problem: "You couldn’t be signed in. Please try again."})
		return
	}
	token := newToken()
	s.Token = hashOf(token)
	before := hashOf(cookie(r, sessionCookie))
	if err := c.records.openSession(r.Context(), s, before); err != nil {
		c.fail(w, r, err)
		return
	}
	c.lines.move(before, s.Token) // after a step-up its sockets stay open
	c.setCookie(w, sessionCookie, token, s.EndsAt)
	http.Redirect(w, r, begun.LeadsTo, http.StatusSeeOther)
}

// redeem takes the code for an ID token, and the token's word for who it is. The library
// looks at its signature, issuer, audience and end; the nonce is ours to look at.
func (c *chat) redeem(ctx context.Context, code string, begun signIn) (session, error) {
	tokens, err := c.config.Exchange(ctx, code, oauth2.VerifierOption(begun.Verifier))
	if err != nil {
		return session{}, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	id, err := c.verifier.Verify(ctx, raw)
	if err != nil {
		return session{}, err
	}
	var claims struct {
		Name     string   `json:"name"`
		Username string   `json:"preferred_username"`
		SID      string   `json:"sid"`
		ACR      string   `json:"acr"`
		AuthTime int64    `json:"auth_time"`
		Roles    []string `json:"roles"`
	}
	if err := id.Claims(&claims); err != nil {
		return session{}, err
	}
	if id.Nonce != begun.Nonce {
		return session{}, errors.New("the ID token is of another sign-in")
	}
	if claims.Name == "" {
		claims.Name = claims.Username
	}
	authTime := time.Unix(claims.AuthTime, 0)
	if begun.Act != "" && authTime.Before(begun.BegunAt.Truncate(time.Second)) {
		return session{}, errors.New("the sign-in is older than what it was asked for") // the issuer was asked for a fresh one
	}
	return session{
		Act: begun.Act, ActEnds: c.now().Add(actWithin),
		Sub: id.Subject, Name: claims.Name, SID: claims.SID, ACR: claims.ACR, AuthTime: authTime,
		Moderator: slices.Contains(claims.Roles, "moderator"), IDToken: raw, EndsAt: c.now().Add(sessionLifetime),
	}, nil
}

// path is where people may be led on to: a path here, and never another site.
func path(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/rooms"
	}
	return next
}

func (c *chat) setCookie(w http.ResponseWriter, name, value string, ends time.Time) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure wherever there is TLS; a sample runs on localhost
		Name: name, Value: value, Path: "/", Expires: ends, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(c.url, "https://"),
	})
}

func cookie(r *http.Request, name string) string {
	found, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return found.Value
}
