package main

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
)

// api lets a request through to what answers with JSON. What can't be undone names an act:
// it takes a sign-in that was asked for just this, on just this.
func (c *chat) api(act string, next func(http.ResponseWriter, *http.Request, session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := c.records.session(r.Context(), hashOf(cookie(r, sessionCookie)), c.now())
		switch {
		case errors.Is(err, errGone):
			problem(w, http.StatusUnauthorized, "sign_in_required", "sign in first", "/sign-in")
		case err != nil:
			c.fail(w, r, err)
		case s.ACR != "aal2" && s.ACR != "mfa": // two factors, or nothing here
			problem(w, http.StatusUnauthorized, "sign_in_required", "sign in with a second factor first", "/sign-in")
		case act != "" && (s.Act != act+" "+r.PathValue("id") || !s.ActEnds.After(c.now())):
			// 401, as RFC 9470 has it: whoever asks can do something about it.
			problem(w, http.StatusUnauthorized, "step_up_required", "confirm that it's you first", "/sign-in?act="+url.QueryEscape(act+" "+r.PathValue("id")))
		default:
			next(w, r, s)
		}
	}
}

// guarded lets people through to a page, and leads the others to sign in and back.
func (c *chat) guarded(next func(http.ResponseWriter, *http.Request, session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := c.records.session(r.Context(), hashOf(cookie(r, sessionCookie)), c.now())
		switch {
		case errors.Is(err, errGone):
			http.Redirect(w, r, "/sign-in?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		case err != nil:
			c.fail(w, r, err)
		default:
			next(w, r, s)
		}
	}
}

// problem is an answer of RFC 9457. at is where what is missing can be had.
func problem(w http.ResponseWriter, status int, code, detail, at string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": status, "code": code, "detail": detail, "url": at})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// fail is for what nobody who asks can mend. It never reads like "signed out".
func (c *chat) fail(w http.ResponseWriter, r *http.Request, err error) {
	slog.Error("a request failed", "path", r.URL.Path, "error", err)
	w.Header().Set("Retry-After", "5")
	problem(w, http.StatusServiceUnavailable, "unavailable", "we are out of reach for a moment", "")
}
