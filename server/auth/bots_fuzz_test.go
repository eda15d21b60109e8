package auth

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"
)

// forger plays the records and the key that fuzzing must get past.
type forger struct{ spent int }

func (f *forger) Digest(purpose, value string) []byte {
	mac := hmac.New(sha256.New, []byte("a key that nobody knows"))
	fmt.Fprintf(mac, "%s %s", purpose, value)
	return mac.Sum(nil)
}

func (f *forger) SpendProof(context.Context, []byte, time.Time) (bool, error) {
	f.spent++
	return true, nil
}

// A solution that we didn't ask for is none, whatever it looks like, and spends
// nothing.
func FuzzProofOfWork(f *testing.F) {
	f.Add([]byte(`{"algorithm":"SHA-256","challenge":"","number":0,"salt":"x?expires=9999999999&","signature":""}`))
	f.Add([]byte(`{"algorithm":"SHA-256","number":-1}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, doc []byte) {
		played := &forger{}
		b := &Bots{Digester: played, Store: played, Now: time.Now}
		for _, proof := range []string{string(doc), base64.StdEncoding.EncodeToString(doc)} {
			if ok, err := b.worked(t.Context(), proof); ok || err != nil || played.spent > 0 {
				t.Errorf("%q: %v %v", proof, ok, err)
			}
		}
	})
}

type canned struct {
	status int
	body   []byte
}

func (c canned) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: c.status, Body: io.NopCloser(bytes.NewReader(c.body))}, nil
}

// What a siteverify service answers lets people through by saying success, or by
// being no answer at all, which is logged.
func FuzzSiteverify(f *testing.F) {
	f.Add(200, []byte(`{"success":true}`))
	f.Add(400, []byte(`{"success":false,"error-codes":["timeout-or-duplicate"]}`))
	f.Add(502, []byte(`<html>`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		var log bytes.Buffer
		b := &Bots{Siteverify: Siteverify{URL: "http://localhost/siteverify"}, Client: &http.Client{Transport: canned{status % 1000, body}}, Log: slog.New(slog.NewTextHandler(&log, nil))}
		success, err := b.siteverify(t.Context(), "token", "192.0.2.1")
		if success && (err != nil || status%1000 >= 500) {
			t.Errorf("%d %q passes, %v", status, body, err)
		}
		if through := b.ask(t.Context(), "token", "192.0.2.1"); through != success && err == nil || err != nil && log.Len() == 0 {
			t.Errorf("%d %q: through %v, success %v, %v, log %q", status, body, through, success, err, log.String())
		}
	})
}
