package oidc

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// tokenReview is what a Kubernetes API server asks its webhook authenticator, and hears
// (authentication.k8s.io, the kind TokenReview).
type tokenReview struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Spec       *reviewSpec  `json:"spec,omitempty"`
	Status     reviewStatus `json:"status"`
}

type reviewSpec struct {
	Token     string   `json:"token"`
	Audiences []string `json:"audiences"`
}

type reviewStatus struct {
	Authenticated bool        `json:"authenticated"`
	User          *reviewUser `json:"user,omitempty"`
	Audiences     []string    `json:"audiences,omitempty"`
	Error         string      `json:"error,omitempty"`
}

type reviewUser struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// reserved begins the names that are Kubernetes' own: nobody gets to be system:masters by
// a group of ours.
const reserved = "system:"

// ReviewToken answers POST /oauth/token-review. The API server is a client that shows its
// secret by HTTP Basic (username and password of its webhook's kubeconfig), and is told of
// ID tokens that were issued to it, and of access tokens that it may introspect.
func (h *Handlers) ReviewToken(c *fiber.Ctx) error {
	asks, err := h.appByForm(c, url.Values{})
	if err == nil && asks.Public {
		err = invalidClient()
	}
	if err != nil {
		return h.machineError(c, err)
	}
	body, err := io.ReadAll(web.BodyReader(c))
	if err != nil {
		return err
	}
	var review tokenReview
	versions := []string{"authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"}
	if json.Unmarshal(body, &review) != nil || review.Spec == nil || review.Kind != "TokenReview" || !slices.Contains(versions, review.APIVersion) {
		return models.Invalid("", "review", "this is no TokenReview of authentication.k8s.io/v1 or v1beta1")
	}
	status, err := h.review(c.UserContext(), asks, *review.Spec)
	if err != nil {
		return err
	}
	review.Spec, review.Status = nil, status // the token need not travel back
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(review)
}

func (h *Handlers) review(ctx context.Context, asks models.App, spec reviewSpec) (reviewStatus, error) {
	refused := reviewStatus{Error: "the token is not valid, or no longer, or not for " + asks.ID}
	if len(spec.Audiences) > 0 && !slices.Contains(spec.Audiences, asks.ID) {
		return refused, nil
	}
	user, how, err := h.reviewed(ctx, asks, spec.Token)
	switch code := models.CodeOf(err); {
	case err == nil:
	case code == models.CodeNotFound || code == models.CodeInvalidGrant:
		return refused, nil
	default:
		return refused, err
	}
	if !asks.Admits(user.Groups) || strings.HasPrefix(user.Username, reserved) {
		return refused, nil
	}
	groups := slices.DeleteFunc(slices.Clone(user.Groups), func(g string) bool { return strings.HasPrefix(g, reserved) })
	return reviewStatus{
		Authenticated: true, Audiences: []string{asks.ID},
		User: &reviewUser{
			Username: user.Username, UID: string(user.ID), Groups: groups,
			Extra: h.extra(how),
		},
	}, nil
}

// proven is how somebody signed in, as their token says.
type proven struct {
	ACR models.ACR `json:"acr"`
	AMR []string   `json:"amr"`
}

// extra tells how somebody signed in by keys of our own domain, as Kubernetes wants them.
func (h *Handlers) extra(how proven) map[string][]string {
	domain := hostOf(h.Origin)
	if host, _, err := net.SplitHostPort(domain); err == nil {
		domain = host
	}
	return map[string][]string{domain + "/acr": {string(how.ACR)}, domain + "/amr": how.AMR}
}

// reviewed finds whose token it is, and how they signed in. not_found, or invalid_grant
// for one whose session is over.
func (h *Handlers) reviewed(ctx context.Context, asks models.App, token string) (models.User, proven, error) {
	found, err := h.find(ctx, token)
	if err == nil {
		app, err := h.Store.App(ctx, found.AppID)
		if err != nil {
			return models.User{}, proven{}, err
		}
		if found.Grant == nil || found.AppID != asks.ID && !slices.Contains(app.Audiences, asks.ID) || !app.Admits(found.User.Groups) {
			return models.User{}, proven{}, models.Refuse(models.CodeNotFound, "no such token")
		}
		return found.User, proven{found.Grant.ACR(), models.AMROf(found.Grant.Methods)}, nil
	}
	if models.CodeOf(err) != models.CodeNotFound {
		return models.User{}, proven{}, err
	}
	return h.reviewedID(ctx, asks, token)
}

// reviewedID reads an ID token that was issued to the app itself and is not over.
func (h *Handlers) reviewedID(ctx context.Context, asks models.App, token string) (models.User, proven, error) {
	none := models.Refuse(models.CodeNotFound, "no such token")
	var claims struct {
		proven
		Issuer   string    `json:"iss"`
		Audience string    `json:"aud"`
		Session  models.ID `json:"sid"`
		Expires  int64     `json:"exp"`
	}
	if err := h.Keys.Verify(ctx, token, typID, &claims); err != nil {
		if models.CodeOf(err) == models.CodeUnavailable {
			return models.User{}, proven{}, err
		}
		return models.User{}, proven{}, none
	}
	if claims.Issuer != h.Origin || claims.Audience != asks.ID || claims.Expires <= h.Now().Unix() {
		return models.User{}, proven{}, none
	}
	grant, user, err := h.Store.SessionGrant(ctx, asks.ID, claims.Session)
	if err != nil {
		return models.User{}, proven{}, err
	}
	return user, claims.proven, h.alive(ctx, grant)
}
