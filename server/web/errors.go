package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/models"
	pages "github.com/sallyport/sallyport/web"
)

// statuses maps every code to its HTTP status, in this one place.
var statuses = map[models.Code]int{
	models.CodeInvalidRequest:       http.StatusBadRequest,
	models.CodeInvalidCredentials:   http.StatusUnauthorized,
	models.CodeSessionRequired:      http.StatusUnauthorized,
	models.CodeSecondFactorRequired: http.StatusForbidden,
	models.CodeEnrolmentRequired:    http.StatusForbidden,
	models.CodeEmailUnverified:      http.StatusForbidden,
	models.CodeRecovering:           http.StatusForbidden,
	models.CodeResetting:            http.StatusForbidden,
	models.CodeStepUpRequired:       http.StatusForbidden,
	models.CodeCrossSite:            http.StatusForbidden,
	models.CodeRateLimited:          http.StatusTooManyRequests,
	models.CodeBotCheckRequired:     http.StatusForbidden,
	models.CodeFactorRejected:       http.StatusUnprocessableEntity,
	models.CodeTooLarge:             http.StatusRequestEntityTooLarge,
	models.CodeLastFactor:           http.StatusConflict,
	models.CodeChallengeExpired:     http.StatusGone,
	models.CodeNotFound:             http.StatusNotFound,
	models.CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	models.CodeConflict:             http.StatusConflict,
	models.CodeInvalidGrant:         http.StatusBadRequest,
	models.CodeFaceNoFace:           http.StatusUnprocessableEntity,
	models.CodeFaceManyFaces:        http.StatusUnprocessableEntity,
	models.CodeFaceImage:            http.StatusUnprocessableEntity,
	models.CodeFaceQuality:          http.StatusUnprocessableEntity,
	models.CodeFacePose:             http.StatusUnprocessableEntity,
	models.CodeFaceMismatch:         http.StatusUnprocessableEntity,
	models.CodeFaceUnavailable:      http.StatusServiceUnavailable,
	models.CodeAmbiguousPath:        http.StatusForbidden,
	models.CodeProxyRefused:         http.StatusForbidden,
	models.CodeAppUnknown:           http.StatusForbidden,
	models.CodeGroupRequired:        http.StatusForbidden,
	models.CodeInvalidClient:        http.StatusUnauthorized,
	models.CodeFactorRequired:       http.StatusConflict,
	models.CodeInTransaction:        http.StatusForbidden,
	models.CodeOverloaded:           http.StatusServiceUnavailable,
	models.CodeUnavailable:          http.StatusServiceUnavailable,
	models.CodeInternal:             http.StatusInternalServerError,
}

// problem is the body of every error answer (RFC 9457).
type problem struct {
	Type       string          `json:"type"`
	Title      string          `json:"title"`
	Status     int             `json:"status"`
	Detail     string          `json:"detail"`
	Code       models.Code     `json:"code"`
	Field      string          `json:"field,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	RetryAfter int             `json:"retry_after,omitempty"` // seconds
	Purpose    models.Purpose  `json:"purpose,omitempty"`
	Object     string          `json:"object,omitempty"`
	Password   bool            `json:"password,omitempty"`
	MaxAge     int             `json:"max_age,omitempty"` // seconds
	Factors    []models.Factor `json:"factors,omitzero"`

	BotCheck *models.BotChallenge `json:"bot_check,omitempty"`
}

// ErrorHandler answers every error of every handler: a page for those who
// asked for one, a problem document for the rest. What isn't a *models.Error
// is logged and told as "internal", never shown.
func (d *Door) ErrorHandler(c *fiber.Ctx, err error) error {
	refusal := refusalOf(err)
	status := statuses[refusal.Code]
	if status >= 500 {
		d.Log.LogAttrs(c.UserContext(), slog.LevelError, "request failed",
			slog.String("method", c.Method()), slog.String("path", c.Path()),
			slog.String("code", string(refusal.Code)), slog.Any("error", err))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if refusal.RetryAfter > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(seconds(refusal.RetryAfter)))
	}
	if !strings.HasPrefix(c.Path(), "/v1/") && strings.Contains(c.Get(fiber.HeaderAccept), "text/html") {
		page := pages.ErrorPage{Layout: d.Layout(c), Status: status, Code: string(refusal.Code)}
		if strings.HasPrefix(c.Path(), "/authz/") || strings.HasPrefix(c.Path(), "/.sallyport/") {
			return d.RenderAs(c, status, pages.AppErrorPage{ErrorPage: page, Origin: d.Origin})
		}
		return d.RenderAs(c, status, page)
	}
	body := problem{
		Type:       "about:blank",
		Title:      http.StatusText(status),
		Status:     status,
		Detail:     refusal.Message,
		Code:       refusal.Code,
		Field:      refusal.Field,
		Reason:     refusal.Reason,
		RetryAfter: seconds(refusal.RetryAfter),
		MaxAge:     seconds(refusal.MaxAge),
		BotCheck:   refusal.BotCheck,
	}
	if refusal.Code == models.CodeStepUpRequired {
		body.Purpose, body.Object = refusal.Purpose, Session(c).Act.Object
		body.Password, body.Factors = refusal.Password, refusal.Factors
	}
	if refusal.Code == models.CodeFactorRequired {
		body.Factors = refusal.Factors
	}
	if refusal.Code == models.CodeInvalidClient {
		c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="sallyport"`)
	}
	return c.Status(status).JSON(body, "application/problem+json")
}

// refusalOf gives what may be told of err.
func refusalOf(err error) *models.Error {
	var refusal *models.Error
	if errors.As(err, &refusal) {
		return refusal
	}
	var framework *fiber.Error
	if errors.As(err, &framework) {
		switch framework.Code {
		case http.StatusNotFound:
			return models.Refuse(models.CodeNotFound, "there is nothing here")
		case http.StatusMethodNotAllowed:
			return models.Refuse(models.CodeMethodNotAllowed, "this address does not take that method")
		case http.StatusRequestEntityTooLarge:
			return models.Refuse(models.CodeTooLarge, "this is more than we take")
		default:
			if framework.Code < 500 {
				return models.Refuse(models.CodeInvalidRequest, "this request can't be read")
			}
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &models.Error{Code: models.CodeUnavailable, Message: "this took too long: try again shortly", RetryAfter: 5 * time.Second, Cause: err}
	}
	return &models.Error{Code: models.CodeInternal, Message: "something went wrong on our side", Cause: err}
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// Recover turns a panic into an internal error, so that one request's fault
// ends one request.
func Recover(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return c.Next()
}
