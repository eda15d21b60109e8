package models

import (
	"errors"
	"fmt"
	"time"
)

// Code is the stable, machine-readable name of a refusal. Clients branch on
// it; server/web maps it to an HTTP status in one place.
type Code string

// The codes of the v1 surface.
const (
	CodeInvalidRequest       Code = "invalid_request"
	CodeInvalidCredentials   Code = "invalid_credentials"
	CodeSessionRequired      Code = "session_required"
	CodeSecondFactorRequired Code = "second_factor_required"
	CodeEnrolmentRequired    Code = "enrolment_required"
	CodeEmailUnverified      Code = "email_unverified"
	CodeRecovering           Code = "recovering"
	CodeResetting            Code = "resetting"
	CodeStepUpRequired       Code = "step_up_required"
	CodeCrossSite            Code = "cross_site"
	CodeRateLimited          Code = "rate_limited"
	CodeBotCheckRequired     Code = "bot_check_required"
	CodeFactorRejected       Code = "factor_rejected"
	CodeTooLarge             Code = "too_large"
	CodeLastFactor           Code = "last_factor"
	CodeChallengeExpired     Code = "challenge_expired"
	CodeNotFound             Code = "not_found"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodeConflict             Code = "conflict"
	CodeInvalidGrant         Code = "invalid_grant"
	CodeFaceNoFace           Code = "face_no_face"
	CodeFaceManyFaces        Code = "face_many_faces"
	CodeFaceImage            Code = "face_image"
	CodeFaceQuality          Code = "face_quality"
	CodeFacePose             Code = "face_pose"
	CodeFaceMismatch         Code = "face_mismatch"
	CodeFaceUnavailable      Code = "face_unavailable"
	CodeAmbiguousPath        Code = "ambiguous_path"
	CodeProxyRefused         Code = "proxy_refused"
	CodeAppUnknown           Code = "app_unknown"
	CodeGroupRequired        Code = "group_required"
	CodeInvalidClient        Code = "invalid_client"
	CodeFactorRequired       Code = "factor_required"
	CodeInTransaction        Code = "in_transaction"
	CodeOverloaded           Code = "overloaded"
	CodeUnavailable          Code = "unavailable"
	CodeInternal             Code = "internal"
)

// Error is a refusal that may be shown to whoever asked: a stable code, a
// sentence for people, and what a client needs to go on. Any other error is
// internal, and its text never leaves the server.
type Error struct {
	Code       Code
	Message    string
	Field      string        // the request's field at fault, with CodeInvalidRequest and CodeConflict
	Reason     string        // a stable word for why, such as too_short
	RetryAfter time.Duration // with CodeRateLimited, CodeOverloaded, CodeFaceUnavailable
	Purpose    Purpose       // with CodeStepUpRequired: what to ask for a step-up for
	Password   bool          // with CodeStepUpRequired: the password is needed too
	MaxAge     time.Duration // with CodeStepUpRequired: how old a proof may be
	Factors    []Factor      // with CodeStepUpRequired: the person's factors that would do
	BotCheck   *BotChallenge // with CodeBotCheckRequired: what to solve
	Cause      error         // for the log alone
}

// Error gives the code, the sentence and the hidden cause: it is for logs.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.Cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap gives the hidden cause.
func (e *Error) Unwrap() error { return e.Cause }

// Refuse makes an Error from a code and a sentence.
func Refuse(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// Invalid refuses one field of a request.
func Invalid(field, reason, message string) *Error {
	return &Error{Code: CodeInvalidRequest, Field: field, Reason: reason, Message: message}
}

// CodeOf gives the code of err, or CodeInternal when it carries none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return CodeInternal
}
