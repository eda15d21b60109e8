package kubernetes_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/server/oidc"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/user"
	kube "k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/webhook"
	"k8s.io/client-go/rest"
)

type bundle []byte

func (b bundle) CurrentCABundleContent() []byte { return b }

// trusting is an API server's OpenID Connect authenticator, as its flags or its
// AuthenticationConfiguration set it up.
func (p *provider) trusting(change ...func(*kube.Options)) authenticator.Token {
	p.t.Helper()
	empty := ""
	options := kube.Options{
		JWTAuthenticator: apiserver.JWTAuthenticator{
			Issuer: apiserver.Issuer{URL: p.issuer, CertificateAuthority: string(p.ca), Audiences: []string{"kubernetes"}},
			ClaimMappings: apiserver.ClaimMappings{
				Username: apiserver.PrefixedClaimOrExpression{Claim: "preferred_username", Prefix: &empty},
				Groups:   apiserver.PrefixedClaimOrExpression{Claim: "groups", Prefix: &empty},
			},
		},
		CAContentProvider: bundle(p.ca), SupportedSigningAlgs: []string{"RS256"},
	}
	for _, c := range change {
		c(&options)
	}
	made, err := kube.New(p.t.Context(), options)
	if err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); made.HealthCheck() != nil; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatal(made.HealthCheck())
		}
	}
	return made
}

func is(t *testing.T, by authenticator.Token, token string) user.Info {
	t.Helper()
	ctx := authenticator.WithAudiences(t.Context(), authenticator.Audiences{"kubernetes"})
	found, ok, err := by.AuthenticateToken(ctx, token)
	if err != nil || !ok {
		t.Fatalf("refused: %v", err)
	}
	return found.User
}

func refuses(t *testing.T, by authenticator.Token, what, token, why string) {
	t.Helper()
	found, ok, err := by.AuthenticateToken(t.Context(), token)
	if ok || err == nil && why != "" || err != nil && !strings.Contains(err.Error(), why) {
		t.Errorf("%s: got %v, %v; want an error with %q", what, found, err, why)
	}
}

// resigned is a token of ours whose claims or header are others, signed by the
// provider's own key.
func (p *provider) resigned(alg, token string, change func(map[string]any)) string {
	p.t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims map[string]any
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	change(claims)
	keys := &oidc.Keys{Store: p.store, Now: time.Now}
	signed, err := keys.Sign(p.t.Context(), alg, "JWT", claims)
	if err != nil {
		p.t.Fatal(err)
	}
	return signed
}

func TestAnAPIServerTakesOurIDTokens(t *testing.T) {
	p := start(t)
	secret := p.newClient("kubernetes")
	other := p.newClient("other")
	elliptic := p.newClient("elliptic", "--alg", "ES256", "--audience", "kubernetes")
	p.register("ada", "ops", "devs")
	server := p.trusting()

	token, access := p.tokens("kubernetes", secret)
	who := is(t, server, token)
	groups := who.GetGroups()
	slices.Sort(groups)
	if who.GetName() != "ada" || !slices.Equal(groups, []string{"devs", "ops"}) {
		t.Errorf("it took %v of %v", who.GetName(), groups)
	}
	same := p.resigned("RS256", token, func(map[string]any) {})
	if is(t, server, same).GetName() != "ada" {
		t.Error("what the test signs by the provider's key is no token of ours") // or nothing below says anything
	}
	foreign, _ := p.tokens("other", other)
	refuses(t, server, "a token for another client", foreign, "audience")
	refuses(t, server, "a token that is over", p.resigned("RS256", token, func(c map[string]any) { c["exp"] = time.Now().Add(-time.Minute).Unix() }), "expired")
	refuses(t, server, "a token of another issuer", p.resigned("RS256", token, func(c map[string]any) { c["iss"] = "https://evil.example" }), "")
	refuses(t, server, "a token of another algorithm", p.resigned("ES256", token, func(map[string]any) {}), "algorithm")
	refuses(t, server, "an access token", access, "")
	head, body, _ := strings.Cut(token, ".")
	forged := strings.Split(body, ".")[0]
	refuses(t, server, "a token that nobody signed", base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))+"."+forged+".", "")
	refuses(t, server, "a token with a signature of something else", head+"."+forged+"."+strings.Split(foreign, ".")[2], "verify")

	// ES256 works where the server is told so.
	modern := p.trusting(func(o *kube.Options) {
		o.SupportedSigningAlgs = []string{"ES256"}
		o.JWTAuthenticator.Issuer.Audiences = []string{"elliptic"}
	})
	curved, _ := p.tokens("elliptic", elliptic)
	if is(t, modern, curved).GetName() != "ada" {
		t.Error("ES256 is not taken")
	}
}

func TestAnAPIServersWebhookHearsOfOurTokens(t *testing.T) {
	p := start(t)
	secret := p.newClient("kubernetes")
	other := p.newClient("other")
	p.register("ada", "ops")
	token, access := p.tokens("kubernetes", secret)
	foreign, _ := p.tokens("other", other)
	for _, version := range []string{"v1", "v1beta1"} {
		config := &rest.Config{Host: p.issuer + "/oauth/token-review", Username: "kubernetes", Password: secret, TLSClientConfig: rest.TLSClientConfig{CAData: p.ca}}
		server, err := webhook.New(config, version, nil, wait.Backoff{Steps: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, good := range []string{token, access} {
			who := is(t, server, good)
			if who.GetName() != "ada" || !slices.Equal(who.GetGroups(), []string{"ops"}) || !slices.Equal(who.GetExtra()["localhost/acr"], []string{"aal2"}) {
				t.Errorf("%s: it heard of %v", version, who)
			}
		}
		refuses(t, server, "a token for another client", foreign, "not valid")
		refuses(t, server, "no token", "x", "not valid")
		config.Password = "wrong"
		stranger, err := webhook.New(config, version, nil, wait.Backoff{Steps: 1})
		if err != nil {
			t.Fatal(err)
		}
		refuses(t, stranger, "a server with a wrong secret", token, "")
	}
}
