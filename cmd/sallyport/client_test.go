package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

func TestTheExampleOfAppsIsTaken(t *testing.T) {
	t.Parallel()
	apps, err := parseClients("example", []byte(exampleClients))
	if err != nil || len(apps) != 3 {
		t.Fatalf("%d apps, %v", len(apps), err)
	}
	if !apps[1].Public || apps[2].AuthMethod != models.AppAuthPrivateKey || apps[0].Roles.Of([]string{"staff"})[0] != "moderator" {
		t.Errorf("read as %+v", apps)
	}
}

func TestAFileOfAppsIsReadStrictly(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		"clients: [{id: chat, name: Chat, redirect_uri: x}]":                            "redirect_uri not found",
		"clients: [{id: chat, name: Chat, redirect_uris: ['http://evil.example/cb']}]":  "must be https",
		"clients: [{id: chat, name: Chat}]":                                             "secret_sha256",
		"clients: [{id: chat, name: Chat, secret_sha256: [abc]}]":                       "is no SHA-256",
		"clients: [{id: pub, name: P, public: true}, {id: pub, name: Q, public: true}]": "is there twice",
	} {
		if _, err := parseClients("f", []byte(document)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func TestAFileKeepsItsAppsAndNoOthers(t *testing.T) {
	t.Parallel()
	f := pgtest.New(t)
	byHand := models.App{ID: "by-hand", Name: "Made by hand", RedirectURIs: []string{"https://a.example/cb"}}.WithDefaults()
	if _, err := f.CreateApp(t.Context(), models.Ref{}, byHand, nil); err != nil {
		t.Fatal(err)
	}
	sync := func(document string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "clients.yaml")
		if err := os.WriteFile(path, []byte(document), 0o600); err != nil {
			t.Fatal(err)
		}
		apps, err := readClients(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.SyncApps(t.Context(), apps); err != nil {
			t.Fatal(err)
		}
	}
	sync(exampleClients)
	sync(exampleClients)
	chat, err := f.App(t.Context(), "chat")
	if err != nil || len(chat.SecretHashes) != 1 || !chat.FirstParty {
		t.Fatalf("%+v, %v", chat, err)
	}
	if err := f.DeleteApp(t.Context(), models.Ref{}, "chat", nil); models.CodeOf(err) != models.CodeConflict {
		t.Errorf("somebody deleted what the file keeps: %v", err)
	}
	sync("clients: []")
	if _, err := f.App(t.Context(), "chat"); models.CodeOf(err) != models.CodeNotFound {
		t.Errorf("what the file no longer names is there: %v", err)
	}
	if _, err := f.App(t.Context(), "by-hand"); err != nil {
		t.Errorf("what people made is gone: %v", err)
	}
	first, err := f.RotateAppSecret(t.Context(), models.Ref{}, "by-hand", nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := f.RotateAppSecret(t.Context(), models.Ref{}, "by-hand", nil)
	if err != nil {
		t.Fatal(err)
	}
	has := func(secret string) bool {
		app, err := f.App(t.Context(), "by-hand")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range app.SecretHashes {
			if s.Hash == models.HashToken(secret) {
				return true
			}
		}
		return false
	}
	if !has(first) || !has(second) {
		t.Error("the secret before a rotation does not go on")
	}
	f.Clock.Advance(25 * 60 * 60 * 1e9)
	if has(first) || !has(second) {
		t.Error("it goes on beyond its day")
	}
}

// A file that is changed counts from the next SIGHUP; one that is broken leaves what was.
func TestTheFileOfAppsIsReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "clients.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const one, two = "clients:\n  - {id: first, name: First, public: true, redirect_uris: [\"https://first.example/cb\"]}\n", "  - {id: second, name: Second, public: true, redirect_uris: [\"https://second.example/cb\"]}\n"
	write(one)
	address := configure(t)
	t.Setenv("SALLYPORT_CLIENTS_FILE", file)
	cmd, a := process(t, address)
	known := func(id string) bool {
		t.Helper()
		a.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		answer, err := a.client.Get(a.url + "/oauth/authorize?client_id=" + id + "&redirect_uri=https://" + id + ".example/cb")
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		return answer.StatusCode == http.StatusSeeOther // back to the app, with what is wrong
	}
	if !known("first") || known("second") {
		t.Fatal("the file is not what counts")
	}
	write(one + two)
	if known("second") {
		t.Error("a file that nobody asked to read again was read")
	}
	hangUp := func(until func() bool) {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); !until(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("the file was not read again")
			}
		}
	}
	hangUp(func() bool { return known("second") })
	write("clients: [")
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	write(two[:0] + "clients:\n" + two)
	hangUp(func() bool { return !known("first") && known("second") })
}
