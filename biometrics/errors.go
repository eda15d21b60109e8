package biometrics

import (
	"errors"
	"fmt"
	"time"
)

// What a caller branches on with errors.Is; the types below carry the details.
var (
	ErrUnavailable = errors.New("face engine unavailable")
	ErrBusy        = errors.New("face engine busy")
	ErrCrashed     = errors.New("face engine crashed")
)

// UnavailableError is ErrUnavailable with its reason.
type UnavailableError struct {
	Reason string // for operators, as Status.Reason
}

func (e *UnavailableError) Error() string { return fmt.Sprintf("%v: %s", ErrUnavailable, e.Reason) }

// Is matches ErrUnavailable.
func (e *UnavailableError) Is(target error) bool { return target == ErrUnavailable }

// BusyError is ErrBusy with the time after which asking again makes sense.
type BusyError struct {
	RetryAfter time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("%v: retry after %v", ErrBusy, e.RetryAfter)
}

// Is matches ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// CrashError is ErrCrashed with what became of the worker. The caller gives the
// attempt back: nothing was decided about the person.
type CrashError struct {
	Reason string // for operators
}

func (e *CrashError) Error() string { return fmt.Sprintf("%v: %s", ErrCrashed, e.Reason) }

// Is matches ErrCrashed.
func (e *CrashError) Is(target error) bool { return target == ErrCrashed }

// ImageError is the gate's refusal of a picture. Reason is stable and may be
// shown to clients; Detail is for operators.
type ImageError struct {
	Reason ImageReason
	Detail string
}

// ImageReason is the stable name of why a picture was refused.
type ImageReason string

// The reasons of [ImageError].
const (
	ImageTooLarge    ImageReason = "too_large"   // bytes or pixels
	ImageTooSmall    ImageReason = "too_small"   // pixels of the short side
	ImageUnsupported ImageReason = "unsupported" // not JPEG, PNG or WebP, or a kind of them that is not decoded
	ImageDamaged     ImageReason = "damaged"     // truncated, or not what its header promises
)

func (e *ImageError) Error() string { return fmt.Sprintf("image %s: %s", e.Reason, e.Detail) }

func imageErrorf(reason ImageReason, format string, args ...any) error {
	return &ImageError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// CaptureError is the refusal of a capture: a fault of the pictures that the
// person can mend by taking them again. It is given while capturing and says
// nothing about who the person is.
type CaptureError struct {
	Code   CaptureCode
	Reason CaptureReason // narrows Code, empty where Code says it all
	Frame  int           // index of the frame at fault
}

// CaptureCode is the problem code of the HTTP surface.
type CaptureCode string

// CaptureReason is the stable narrower reason below a CaptureCode.
type CaptureReason string

// The codes of [CaptureError].
const (
	CodeNoFace    CaptureCode = "face_no_face"
	CodeManyFaces CaptureCode = "face_many_faces"
	CodeImage     CaptureCode = "face_image"
	CodeQuality   CaptureCode = "face_quality"
	CodePose      CaptureCode = "face_pose"
)

// The reasons of [CaptureError].
const (
	// ReasonDifferentPeople (face_quality): an enrolment shows more than one person.
	ReasonDifferentPeople CaptureReason = "different_people"

	// The rest is face_quality, of one frame; [Rules] has the limits.

	ReasonSmall   CaptureReason = "too_small"    // too few pixels across the face
	ReasonLarge   CaptureReason = "too_large"    // the face fills more than the picture
	ReasonOutside CaptureReason = "cut_off"      // part of the face is outside of the picture
	ReasonDark    CaptureReason = "too_dark"     // mean luma
	ReasonBright  CaptureReason = "too_bright"   // mean luma
	ReasonFlat    CaptureReason = "low_contrast" // standard deviation of the luma
	ReasonBlurred CaptureReason = "blurred"      // variance of the Laplacian
)

func (e *CaptureError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("capture refused at frame %d: %s", e.Frame, e.Code)
	}
	return fmt.Sprintf("capture refused at frame %d: %s (%s)", e.Frame, e.Code, e.Reason)
}
