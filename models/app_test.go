package models

import (
	"strings"
	"testing"
	"time"
)

func app(change func(*App)) App {
	a := App{ID: "chat", Name: "Chat", RedirectURIs: []string{"https://chat.example.com/callback"}}
	change(&a)
	return a.WithDefaults()
}

func TestDefaultsOfAnAppAreSound(t *testing.T) {
	t.Parallel()
	for _, public := range []bool{false, true} {
		a := app(func(a *App) { a.Public = public })
		if problems := a.Check(); len(problems) > 0 {
			t.Errorf("public %v: %v", public, problems)
		}
		if a.PKCEOptional || a.ACR != ACRMFA || a.FirstParty {
			t.Errorf("lax by default: %+v", a)
		}
	}
}

func TestWhatIsWrongWithAnAppIsSaid(t *testing.T) {
	t.Parallel()
	for key, change := range map[string]func(*App){
		"id":                        func(a *App) { a.ID = "Chat App" },
		"name":                      func(a *App) { a.Name = "" },
		"redirect_uris":             func(a *App) { a.RedirectURIs = []string{"https://chat.example.com/cb#x"} },
		"post_logout_redirect_uris": func(a *App) { a.PostLogoutRedirectURIs = []string{"javascript:alert(1)"} },
		"backchannel_logout_uri":    func(a *App) { a.BackchannelLogoutURI = "http://chat.example.com/out" },
		"grant_types":               func(a *App) { a.GrantTypes = []GrantType{"password"} },
		"response_types":            func(a *App) { a.ResponseTypes = []string{"code", "token"} },
		"auth_method":               func(a *App) { a.AuthMethod = AppAuthNone },
		"jwks": func(a *App) {
			a.AuthMethod = AppAuthPrivateKey
			a.Keys = AppKeys(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`)
		},
		"pkce_optional":                func(a *App) { a.Public, a.PKCEOptional = true, true },
		"id_token_alg":                 func(a *App) { a.IDTokenAlg = "none" },
		"token_format":                 func(a *App) { a.TokenFormat = "saml" },
		"token_lifetime":               func(a *App) { a.TokenLifetime = Duration(time.Hour) },
		"refresh_idle":                 func(a *App) { a.RefreshIdle = Duration(time.Second) },
		"acr":                          func(a *App) { a.ACR = ACROne },
		"groups":                       func(a *App) { a.Groups = []string{"a,b"} },
		"roles":                        func(a *App) { a.Roles = AppRoles{"staff": {"x\r\ny"}} },
		"transactions.return_to":       func(a *App) { a.Transactions = &AppFactors{} },
		"transactions.frame_ancestors": func(a *App) { a.Transactions = &AppFactors{ReturnTo: a.RedirectURIs, FrameAncestors: []string{"*"}} },
		"scopes":                       func(a *App) { a.Scopes = []string{"two words"} },
		"transactions":                 func(a *App) { a.Public, a.Transactions = true, &AppFactors{ReturnTo: a.RedirectURIs} },
	} {
		problems := app(change).Check()
		if len(problems) == 0 || !strings.HasPrefix(problems[0].Key, key) {
			t.Errorf("%s: %v", key, problems)
		}
	}
}

// The list is what people try who want somebody's code sent elsewhere.
func TestAttackRedirectsAreComparedAsTheyStand(t *testing.T) {
	t.Parallel()
	web := app(func(a *App) {
		a.RedirectURIs = []string{"https://chat.example.com/callback", "http://localhost/callback", "http://127.0.0.1/callback"}
	})
	phone := app(func(a *App) {
		a.Public = true
		a.RedirectURIs = []string{"com.example.chat:/callback", "http://127.0.0.1/callback", "http://[::1]:7777/callback"}
	})
	for _, uri := range web.RedirectURIs {
		if !web.RedirectsTo(uri) {
			t.Errorf("its own %s is refused", uri)
		}
	}
	for _, uri := range []string{"com.example.chat:/callback", "http://127.0.0.1/callback", "http://127.0.0.1:53999/callback", "http://[::1]:1/callback", "http://[::1]/callback"} {
		if !phone.RedirectsTo(uri) {
			t.Errorf("the phone's %s is refused", uri)
		}
	}
	for _, uri := range []string{
		"", "https://chat.example.com", "https://chat.example.com/", "https://chat.example.com/callback/", "https://chat.example.com/callback?x=1",
		"https://chat.example.com/callback#x", "https://chat.example.com/Callback", "https://CHAT.example.com/callback", "HTTPS://chat.example.com/callback",
		"https://chat.example.com:443/callback", "https://chat.example.com:8443/callback", "http://chat.example.com/callback",
		"https://chat.example.com/%63allback", "https://chat.example.com/callback%2F..", "https://chat.example.com/x/../callback",
		"https://chat.example.com/callback%00", "https://chat.example.com%2Fcallback", "https://chat.example.com./callback",
		"https://chat.example.com@evil.example/callback", "https://evil.example/@chat.example.com/callback", "https://evil.example\\@chat.example.com/callback",
		"https://user:pass@chat.example.com/callback", "https://chat.example.com.evil.example/callback", "//chat.example.com/callback", " https://chat.example.com/callback",
		"https://chat.example.com/callback ", "https://chat.example.com/callback\r\nSet-Cookie: a=b", "http://localhost:9000/callback",
		"http://127.0.0.1:9000/callback", "http://[::1]:9000/callback", "javascript:alert(1)", "https%3A%2F%2Fchat.example.com%2Fcallback",
	} {
		if web.RedirectsTo(uri) {
			t.Errorf("a web app's code would go to %q", uri)
		}
	}
	for _, uri := range []string{
		"http://127.0.0.1:/callback", "http://127.0.0.1:123456/callback", "http://127.0.0.1:80@evil.example/callback", "http://127.0.0.1.evil.example/callback",
		"http://127.0.0.1:80/callback#x", "http://127.0.0.1:80/other", "http://127.0.0.1:80", "http://localhost:80/callback", "http://127.0.0.2/callback",
		"http://127.1/callback", "http://[::ffff:127.0.0.1]/callback", "https://127.0.0.1/callback", "http://127.0.0.1:80\\@evil.example/callback",
		"com.example.chat://callback", "com.example.chat:/callback?x", "com.example.evil:/callback",
	} {
		if phone.RedirectsTo(uri) {
			t.Errorf("a phone app's code would go to %q", uri)
		}
	}
}

func FuzzRedirectsTo(f *testing.F) {
	for _, seed := range []string{"http://127.0.0.1:80/callback", "https://chat.example.com/callback", "http://[::1]:1/callback"} {
		f.Add(seed)
	}
	a := app(func(a *App) {
		a.Public, a.RedirectURIs = true, []string{"https://chat.example.com/callback", "http://127.0.0.1/callback"}
	})
	f.Fuzz(func(t *testing.T, uri string) {
		if !a.RedirectsTo(uri) {
			return
		}
		if why := badRedirect(uri, true); why != "" && !strings.HasPrefix(uri, "http://127.0.0.1:") {
			t.Errorf("%q is taken, and %s", uri, why)
		}
		if !strings.HasSuffix(uri, "/callback") || !strings.HasPrefix(uri, "https://chat.example.com/") && !strings.HasPrefix(uri, "http://127.0.0.1") {
			t.Errorf("%q is taken", uri)
		}
	})
}
