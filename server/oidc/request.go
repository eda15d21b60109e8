package oidc

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport/sallyport/models"
)

// Errors that are told to an app by sending its person back (RFC 6749 section 4.1.2.1,
// OpenID Connect Core section 3.1.2.6).
const (
	invalidRequest      = "invalid_request"
	unsupportedResponse = "unsupported_response_type"
	invalidScope        = "invalid_scope"
	accessDenied        = "access_denied"
	loginRequired       = "login_required"
	interactionRequired = "interaction_required"
	consentRequired     = "consent_required"
	unmetRequirements   = "unmet_authentication_requirements"
	unauthorizedClient  = "unauthorized_client"
)

// refusal is an error for the app.
type refusal struct{ code, why string }

// Error gives both.
func (r *refusal) Error() string { return r.code + ": " + r.why }

func refuse(code, why string) error { return &refusal{code, why} }

// known are the parameters that mean something. Others are ignored (RFC 6749 section 3.1).
var known = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "prompt", "max_age", "acr_values", "claims",
	"login_hint", "id_token_hint", "code_challenge", "code_challenge_method", "request", "request_uri",
}

// readParams takes what is known out of a form. The name of one that came twice is given
// beside it.
func readParams(form url.Values) (params map[string]string, twice string) {
	params = map[string]string{}
	for _, name := range known {
		if values := form[name]; len(values) > 0 {
			params[name] = values[0]
			if len(values) > 1 {
				twice = name
			}
		}
	}
	return params, twice
}

// request is an authorization request that its app may make.
type request struct {
	app          models.App
	params       map[string]string
	redirectURI  string
	responseType string
	responseMode string
	scopes       []string
	claims       []string // asked for one by one
	prompt       []string
	maxAge       *time.Duration
	acrs         []models.ACR // what would do, the best first; none without
	essential    bool         // one of them it must be
	hint         models.ID    // who has to be signed in; "" for anybody
}

func (r request) prompts(what string) bool { return slices.Contains(r.prompt, what) }

// target finds where the answer goes. Until that is known nothing is sent anywhere.
func target(app models.App, params map[string]string) (uri, mode string, ok bool) {
	uri = params["redirect_uri"]
	if !app.RedirectsTo(uri) {
		return "", "", false
	}
	mode = params["response_mode"]
	if !slices.Contains([]string{"query", "fragment", "form_post"}, mode) {
		mode = "query"
		if params["response_type"] == "id_token" {
			mode = "fragment"
		}
	}
	if mode == "query" && params["response_type"] == "id_token" {
		mode = "fragment" // tokens in a query end in logs (OAuth 2.0 Multiple Response Types section 3)
	}
	return uri, mode, true
}

// check reads a request whose target is known. Its errors are *refusal, for the app.
func check(app models.App, params map[string]string) (request, error) {
	r := request{app: app, params: params, responseType: params["response_type"], prompt: strings.Fields(params["prompt"])}
	r.redirectURI, r.responseMode, _ = target(app, params)
	for _, unsupported := range []string{"request", "request_uri"} {
		if params[unsupported] != "" {
			return r, refuse(unsupported+"_not_supported", "send the parameters as they are, or push them first")
		}
	}
	switch mode := params["response_mode"]; {
	case r.responseType == "":
		return r, refuse(invalidRequest, "response_type is missing")
	case r.responseType != "code" && r.responseType != "id_token":
		return r, refuse(unsupportedResponse, "response_type must be code or id_token")
	case !slices.Contains(app.ResponseTypes, r.responseType):
		return r, refuse(unauthorizedClient, "this client may not ask for that response_type")
	case mode != "" && mode != r.responseMode:
		return r, refuse(invalidRequest, "this response_mode is not for that response_type")
	case r.responseType == "id_token" && params["nonce"] == "":
		return r, refuse(invalidRequest, "nonce is missing: an ID token needs one")
	case len(params["nonce"]) > 512 || len(params["state"]) > 2048:
		return r, refuse(invalidRequest, "nonce or state is too long")
	}
	asked := strings.Fields(params["scope"])
	if !slices.Contains(asked, "openid") {
		return r, refuse(invalidScope, "scope must hold openid")
	}
	r.scopes = app.Allows(asked)
	for _, p := range r.prompt {
		if !slices.Contains([]string{"none", "login", "consent", "select_account"}, p) {
			return r, refuse(invalidRequest, "prompt is not known here")
		}
	}
	if r.prompts("none") && len(r.prompt) > 1 {
		return r, refuse(invalidRequest, "prompt=none stands alone")
	}
	if text := params["max_age"]; text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return r, refuse(invalidRequest, "max_age must be a number of seconds")
		}
		age := time.Duration(seconds) * time.Second
		r.maxAge = &age
	}
	for _, acr := range strings.Fields(params["acr_values"]) {
		r.acrs = append(r.acrs, models.ACR(acr))
	}
	if err := r.readClaims(); err != nil {
		return r, err
	}
	return r, r.checkPKCE()
}

// checkPKCE demands a challenge of everybody who was not excused, and of those the same
// rules where they send one.
func (r request) checkPKCE() error {
	challenge, method := r.params["code_challenge"], r.params["code_challenge_method"]
	switch {
	case r.responseType != "code":
		return nil
	case challenge == "" && method == "" && r.app.PKCEOptional:
		return nil
	case challenge == "":
		return refuse(invalidRequest, "code_challenge is missing (PKCE, RFC 7636)")
	case method != "S256":
		return refuse(invalidRequest, "code_challenge_method must be S256")
	case len(challenge) != 43:
		return refuse(invalidRequest, "code_challenge is no SHA-256 in base64url")
	}
	return nil
}

// readClaims reads the parameter claims (OpenID Connect Core section 5.5): what is asked
// for of userinfo, and the contexts that the ID token may have.
func (r *request) readClaims() error {
	text := r.params["claims"]
	if text == "" {
		return nil
	}
	type wanted struct {
		Essential bool     `json:"essential"`
		Value     string   `json:"value"`
		Values    []string `json:"values"`
	}
	var claims struct {
		Userinfo map[string]json.RawMessage `json:"userinfo"`
		IDToken  map[string]json.RawMessage `json:"id_token"`
	}
	if len(text) > 4096 || json.Unmarshal([]byte(text), &claims) != nil {
		return refuse(invalidRequest, "claims is no such JSON")
	}
	for name := range claims.Userinfo {
		if _, ok := scopeOf[name]; ok {
			r.claims = append(r.claims, name)
		}
	}
	slices.Sort(r.claims)
	raw, ok := claims.IDToken["acr"]
	if !ok {
		return nil
	}
	var acr *wanted
	if json.Unmarshal(raw, &acr) != nil {
		return refuse(invalidRequest, "claims asks for acr in a way that is not known")
	}
	if acr == nil {
		return nil
	}
	if acr.Value != "" {
		acr.Values = append(acr.Values, acr.Value)
	}
	if len(acr.Values) > 0 {
		r.acrs, r.essential = nil, acr.Essential
		for _, v := range acr.Values {
			r.acrs = append(r.acrs, models.ACR(v))
		}
	}
	return nil
}
