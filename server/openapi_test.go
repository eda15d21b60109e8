package server_test

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/sallyport/sallyport/models"
)

//go:embed openapi.json
var openAPIText []byte

// document is the OpenAPI document with a router over it.
type document struct {
	*openapi3.T
	router routers.Router
}

// openAPI loads and validates the document once: it is asked for every request
// of every test, in parallel, and never changed.
var openAPI = sync.OnceValues(func() (*document, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPIText)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, err
	}
	return &document{doc, router}, nil
})

func loadOpenAPI(t testing.TB) *document {
	t.Helper()
	doc, err := openAPI()
	if err != nil {
		t.Fatalf("openapi.json: %v", err)
	}
	return doc
}

// replayed notes which operations succeeded in which test.
var replayed sync.Map // replay -> struct{}

type replay struct{ test, operation string }

// checkAgainstOpenAPI holds an answer to the document, and the request as well
// where the server took it. What the server refuses may be anything.
func checkAgainstOpenAPI(t testing.TB, request *http.Request, a *answer) {
	t.Helper()
	doc := loadOpenAPI(t)
	route, params, err := doc.router.FindRoute(request)
	if err != nil {
		switch {
		case !strings.HasPrefix(request.URL.Path, "/v1/"), request.Method == http.MethodOptions:
			// Pages are for people, and what browsers ask before they ask for browsers; the document is for apps.
		case a.Status == http.StatusNotFound, a.Status == http.StatusMethodNotAllowed:
			doc.checkProblem(t, a)
		default:
			t.Errorf("%s answered %d and is not in openapi.json", a.what, a.Status)
		}
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, SkipSettingDefaults: true, RejectWhenRequestBodyNotSpecified: true,
			AuthenticationFunc: checkCredentials,
		},
	}
	response := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.Status, Header: a.Header, Options: input.Options,
	}
	response.SetBodyBytes(a.Raw)
	if err := openapi3filter.ValidateResponse(request.Context(), response); err != nil {
		t.Errorf("%s: the answer %d is not as in openapi.json: %v", a.what, a.Status, err)
	}
	if a.Status >= 300 {
		return
	}
	// The library lets any body pass where the document has none.
	if documented := route.Operation.Responses.Status(a.Status); documented != nil && documented.Value.Content == nil && len(a.Raw) > 0 {
		t.Errorf("%s: the answer %d has a body, in openapi.json it has none: %s", a.what, a.Status, a.Raw)
	}
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		t.Errorf("%s: the server took a request that is not as in openapi.json: %v", a.what, err)
	}
	replayed.Store(replay{t.Name(), route.Operation.OperationID}, struct{}{})
}

// checkProblem holds a refusal to the problem schema where there is no
// operation that it could be looked up with.
func (d *document) checkProblem(t testing.TB, a *answer) {
	t.Helper()
	if kind := a.Header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s answered %d as %q", a.what, a.Status, kind)
	}
	if err := d.Components.Schemas["Problem"].Value.VisitJSON(a.Body, openapi3.VisitAsResponse()); err != nil {
		t.Errorf("%s: the answer %d is no problem document: %v", a.what, a.Status, err)
	}
	if a.Status == http.StatusMethodNotAllowed && a.Header.Get("Allow") == "" {
		t.Errorf("%s answered 405 without Allow", a.what)
	}
}

// checkCredentials finds what a security scheme names in a request: an
// operation that served nobody in particular must be documented as open.
func checkCredentials(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	request, scheme := input.RequestValidationInput.Request, input.SecurityScheme
	switch {
	case scheme.Type == "http" && scheme.Scheme == "basic":
		if _, _, ok := request.BasicAuth(); !ok {
			return errors.New("no app")
		}
		return nil
	case scheme.Type == "apiKey" && scheme.In == "header":
		if request.Header.Get(scheme.Name) == "" {
			return errors.New("no transaction")
		}
		return nil
	case scheme.Type == "apiKey" && scheme.In == "cookie":
		_, err := request.Cookie(scheme.Name)
		return err
	case scheme.Type == "http" && scheme.Scheme == "bearer":
		if !strings.HasPrefix(request.Header.Get("Authorization"), "Bearer ") {
			return errors.New("no bearer token")
		}
		return nil
	default:
		return fmt.Errorf("scheme %q is not known here", input.SecuritySchemeName)
	}
}

// operations lists the document's operations as "METHOD /path".
func (d *document) operations() map[string]*openapi3.Operation {
	found := map[string]*openapi3.Operation{}
	for path, item := range d.Paths.Map() {
		for method, operation := range item.Operations() {
			found[method+" "+path] = operation
		}
	}
	return found
}

func TestOpenAPIListsEveryRoute(t *testing.T) {
	t.Parallel()
	documented := loadOpenAPI(t).operations()
	served := map[string]bool{}
	for _, r := range newSite(t).server.App().GetRoutes(true) {
		parts := strings.Split(r.Path, "/")
		for i, part := range parts {
			if name, ok := strings.CutPrefix(part, ":"); ok {
				parts[i] = "{" + name + "}"
			}
			if part == "*" {
				parts[i] = "{path}"
			}
		}
		name := r.Method + " " + strings.Join(parts, "/")
		served[name] = true
		if strings.HasPrefix(r.Path, "/v1/") && documented[name] == nil {
			t.Errorf("openapi.json doesn't list %s", name)
		}
	}
	for name := range documented {
		if !served[name] {
			t.Errorf("openapi.json lists %s, which nobody serves", name)
		}
	}
}

// TestOpenAPIKnowsEveryCode keeps the enum of codes and the error table in
// step: a code that no test provokes would otherwise go unseen.
func TestOpenAPIKnowsEveryCode(t *testing.T) {
	t.Parallel()
	doc := loadOpenAPI(t)
	listed := map[string]bool{}
	for _, code := range doc.Components.Schemas["Code"].Value.Enum {
		listed[code.(string)] = true
	}
	described := doc.Components.Schemas["Code"].Value.Description
	for code := range listed {
		if !strings.Contains(described, "- `"+code+"` (") {
			t.Errorf("%s is not described", code)
		}
	}
	for _, code := range []models.Code{
		models.CodeInvalidRequest, models.CodeInvalidCredentials, models.CodeSessionRequired, models.CodeSecondFactorRequired,
		models.CodeEnrolmentRequired, models.CodeRecovering, models.CodeStepUpRequired, models.CodeCrossSite, models.CodeProxyRefused,
		models.CodeAppUnknown, models.CodeAmbiguousPath, models.CodeGroupRequired, models.CodeRateLimited, models.CodeBotCheckRequired,
		models.CodeFactorRejected, models.CodeTooLarge, models.CodeLastFactor, models.CodeChallengeExpired, models.CodeNotFound,
		models.CodeMethodNotAllowed, models.CodeConflict, models.CodeFaceNoFace, models.CodeFaceManyFaces, models.CodeFaceImage,
		models.CodeFaceQuality, models.CodeFacePose, models.CodeFaceMismatch, models.CodeFaceUnavailable, models.CodeOverloaded,
		models.CodeUnavailable, models.CodeInternal, models.CodeInvalidClient, models.CodeInvalidGrant, models.CodeFactorRequired, models.CodeInTransaction,
	} {
		if !listed[string(code)] {
			t.Errorf("openapi.json doesn't list the code %s", code)
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	t.Parallel()
	served := newSite(t).browser().get("/openapi.json").want(200)
	if !bytes.Equal(served.Raw, openAPIText) {
		t.Error("what is served is another document")
	}
}

// notReplayable are the operations that the harness can't succeed with.
var notReplayable = []string{
	// These answer 101 by taking the connection over, and the harness has none.
	"openChatSocket", "captureVerifyFace", "captureEnrolFace",
	// And this one never comes to its end.
	"streamEvents",
}

// TestEveryOperationIsReplayed walks through all of the surface, so that no
// operation of the document goes unchecked.
func TestEveryOperationIsReplayed(t *testing.T) {
	t.Parallel()
	s := withMail(t)
	empty := map[string]any{}

	visitor := s.browser()
	for _, path := range []string{"/healthz", "/readyz", "/openapi.json"} {
		visitor.get(path).want(200)
	}
	visitor.post("/v1/password/advice", map[string]any{"password": password, "username": "ada"}).want(200)

	// Somebody who said of a letter that it wasn't them.
	s.MailPerHour = func() int { return 5 }
	s.withTOTP("bob")
	s.deny(s.alarm(), models.DenialFrozen)

	// A new account, and everything it can enrol.
	ada, phone, laptop := s.register("ada"), newKey(true), newKey(true)
	ada.addTOTP().state(models.Authenticated, models.ACRAAL2)
	ada.addPasskey(phone, "Phone").want(201)
	added := ada.addPasskey(laptop, "").want(201)
	ada.saveCodes()
	ada.enrolFace(someone(1)).want(201)
	for _, path := range []string{
		"/v1/session", "/v1/me", "/v1/me/passkeys", "/v1/me/totp", "/v1/me/recovery-codes", "/v1/me/face", "/v1/me/sessions",
		"/v1/me/devices", "/v1/me/export", "/v1/me/events?limit=2",
	} {
		ada.get(path).want(200)
	}
	ada.post("/v1/me/face/consent", map[string]any{"consent_version": ada.consentVersion(), "cohort": true}).want(204)
	s.newApp(models.App{ID: "others", Name: "Others", RedirectURIs: []string{"https://others.example/cb"}})
	waiting := ada.get("/oauth/authorize?" + asks("others", "https://others.example/cb").Encode()).want(200)
	ada.post("/v1/authorizations/"+waitingIn(waiting), map[string]any{"decision": "allow"}).want(204)
	ada.get("/v1/me/apps").want(200)
	ada.delete("/v1/me/apps/others").want(204)
	ada.prove("authenticate", "")
	ada.post("/v1/session/confirm", empty).want(204)
	s.newApp(models.App{ID: "tvset", Name: "TV", Public: true, GrantTypes: []models.GrantType{models.GrantDevice}})
	typed := ada.post("/v1/device-authorizations", map[string]any{"user_code": s.deviceCode("tvset").text("user_code")}).want(201).text("id")
	ada.delete("/v1/device-authorizations/" + typed).want(204)
	typed = ada.post("/v1/device-authorizations", map[string]any{"user_code": s.deviceCode("tvset").text("user_code")}).want(201).text("id")
	ada.post("/v1/device-authorizations/"+typed, empty).want(204)
	device := ada.addDevice(newDevice(t)).want(201).text("id")
	ada.delete("/v1/me/devices/" + device).want(204)
	id := added.Body["passkey"].(map[string]any)["id"].(string)
	ada.do("PATCH", "/v1/me/passkeys/"+id, map[string]any{"name": "Laptop"}).want(200)
	ada.post("/v1/chat/messages", map[string]any{"body": "hello"}).want(201)
	ada.get("/v1/chat/messages").want(200)

	// Every way in.
	s.nextStep()
	ada.elsewhere().post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	ada.elsewhere().verifyPasskey(phone).want(200)
	ada.elsewhere().showFace(someone(1)).want(200)
	recovering := ada.elsewhere()
	recovering.post("/v1/verify/recovery", map[string]any{"code": ada.codes[0]}).want(200)
	recovering.get("/v1/me/sessions").want(200)
	s.browser().loginPasskey(phone).want(200)

	s.force(remembering)
	laptopKey := newDevice(t)
	s.nextStep()
	trusted := ada.elsewhere()
	trusted.post("/v1/verify/totp", map[string]any{"code": ada.code()}).want(200)
	known := trusted.remember(laptopKey).want(201).text("id")
	trusted.get("/v1/me/remembered-devices").want(200)
	ada.elsewhere().recognise(laptopKey).want(200)
	trusted.delete("/v1/me/remembered-devices/" + known).want(204)

	// An app, whose answers carry the token.
	app := &person{browser: s.app(), name: "ada", key: phone}
	bearer := map[string]any{"transport": "bearer"}
	options := app.post("/v1/login/passkey/options", bearer).want(200)
	assertion := strings.TrimSuffix(phone.sign(t, options), "}") + `,"transport":"bearer","ceremony":"` + options.text("ceremony") + `"}`
	app.post("/v1/login/passkey", assertion).want(200).text("token")

	// And everything that can be ended again, by the app and by the browser.
	listed := ada.get("/v1/me/sessions").want(200).Body["sessions"].([]any)
	other := slices.IndexFunc(listed, func(entry any) bool { return entry.(map[string]any)["state"] == string(models.Recovering) })
	ada.delete("/v1/me/sessions/" + listed[other].(map[string]any)["id"].(string)).want(204)
	app.delete("/v1/me/passkeys/" + id).want(200).text("token")
	app.post("/v1/me/recovery-codes", empty).want(200)
	app.delete("/v1/me/face").want(200)
	app.askEnrol(nil).want(201)
	ada = ada.elsewhere()
	ada.key = phone // the laptop's is gone
	ada.verifyPasskey(phone).want(200)
	ada.delete("/v1/me/totp").want(204)
	ada.post("/v1/me/password", map[string]any{"current": password, "new": "a brand new password"}).want(204)
	ada.delete("/v1/me/sessions").want(204)
	ada.delete("/v1/session").want(204)

	// Who goes, and comes back.
	eve := s.withTOTP("eve")
	eve.delete("/v1/me").want(200)
	eve = eve.elsewhere()
	s.nextStep()
	eve.post("/v1/verify/totp", map[string]any{"code": eve.code()}).want(200)
	eve.do("POST", "/v1/me/restore", nil).want(204)

	// Who forgot the password.
	s.resetting("fay").post("/v1/password/reset", map[string]any{"new": "a brand new password"}).want(204)

	// Who confirms something for an app.
	bank := s.bank()
	tab := bank.ask("ada", enrolling).want(201).opened()
	secret := tab.setUpTOTP()
	redeemed := bank.redeem(tab, tab.comeBack()).want(200)
	bank.get("/v1/transactions/" + tab.id).want(200)
	if redeemed.Body["enrolled"] != true || secret == "" {
		t.Error("the first factor was not set up")
	}
	denied := bank.ask("ada").want(201).opened()
	denied.post("/v1/transactions/"+denied.id+"/deny", empty).want(200)
	bank.delete("/v1/subjects/ada").want(204)

	// Who is told.
	boss := s.admin("boss")
	client := map[string]any{"client": map[string]any{"name": "Wiki", "redirect_uris": []string{"https://wiki.example.com/cb"}}}
	boss.post("/v1/admin/clients", map[string]any{"client": map[string]any{"id": "wiki", "name": "Wiki"}}).want(201)
	boss.do("PUT", "/v1/admin/clients/wiki", client).want(204)
	boss.get("/v1/admin/clients").want(200)
	boss.get("/v1/admin/clients/wiki").want(200)
	boss.post("/v1/admin/clients/wiki/secrets", empty).want(201)
	boss.delete("/v1/admin/clients/wiki").want(204)
	webhook := boss.post("/v1/admin/webhooks", map[string]any{"url": "https://app.example.com/hooks"}).want(201).text("id")
	boss.get("/v1/admin/webhooks").want(200)
	boss.do("PATCH", "/v1/admin/webhooks/"+webhook, map[string]any{"description": "the app"}).want(200)
	boss.post("/v1/admin/webhooks/"+webhook+"/secrets", empty).want(201)
	delivery := boss.post("/v1/admin/webhooks/"+webhook+"/test", empty).want(202).text("id")
	s.kill(delivery)
	boss.get("/v1/admin/webhooks/" + webhook + "/deliveries?state=dead").want(200)
	boss.post("/v1/admin/deliveries/"+delivery+"/replay", empty).want(204)
	boss.delete("/v1/admin/webhooks/" + webhook).want(204)
	nobody := s.browser()
	nobody.header["Accept"] = "text/event-stream"
	nobody.get("/v1/session/events").want(200)

	s.comesBack(s.waits().withTOTP("ivy"))
	// Where addresses are proven: each kind of link.
	s.posts(true)
	s.bring(map[string]string{"email": "gil@example.com", "username": "gil", "password_hash": foreign["bcrypt"]})
	gil := (&person{browser: s.browser(), name: "gil"}).elsewhere()
	gil.post("/v1/me/email/verification", map[string]any{}).want(202)
	s.browser().post("/v1/links/verify-email", map[string]any{"token": s.linkTo("gil@example.com", models.LinkVerifyEmail)}).want(204)
	hal := s.joins("hal")
	undo, _ := hal.moves("hal@example.org")
	hal.hasSecond("hal@example.net")
	hal.delete("/v1/me/email/second").want(204)
	s.browser().post("/v1/links/undo-email", map[string]any{"token": undo}).want(200)

	// What proxies ask.
	notes := s.shielded().at("app.localhost")
	notes.ask("/public").want(200)
	notes.with(map[string]string{"X-Original-URL": "https://app.localhost/public", "X-Original-Method": "GET"}).get("/authz/nginx").want(200)
	notes.with(map[string]string{"Host": "app.localhost"}).get("/authz/envoy/public").want(200)

	for name, operation := range loadOpenAPI(t).operations() {
		_, found := replayed.Load(replay{t.Name(), operation.OperationID})
		if !found && !slices.Contains(notReplayable, operation.OperationID) {
			t.Errorf("%s (%s) was not replayed", name, operation.OperationID)
		}
	}
}
