package face

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// mismatch is the one answer to a capture that did not pass, whether the face
// was another's or nobody alive sat there: whoever tries learns nothing from it.
func mismatch() error {
	return models.Refuse(models.CodeFaceMismatch, "we couldn't confirm that it's you: try again in better light, or use another way")
}

// refuse turns what went wrong before any comparison into its answer.
func refuse(err error) error {
	var image *biometrics.ImageError
	if errors.As(err, &image) {
		return &models.Error{Code: models.CodeFaceImage, Reason: string(image.Reason), Message: imageWords[image.Reason], Cause: err}
	}
	var capture *biometrics.CaptureError
	if errors.As(err, &capture) {
		words, ok := reasonWords[capture.Reason]
		if !ok {
			words = codeWords[capture.Code]
		}
		return &models.Error{Code: models.Code(capture.Code), Reason: string(capture.Reason), Message: words, Cause: err}
	}
	var busy *biometrics.BusyError
	switch {
	case errors.As(err, &busy):
		return &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "busy", RetryAfter: busy.RetryAfter, Cause: err,
			Message: "many people are signing in with their face right now: try again in a moment, or use another way",
		}
	case errors.Is(err, biometrics.ErrCrashed):
		return &models.Error{
			Code: models.CodeFaceUnavailable, Reason: "interrupted", RetryAfter: time.Second, Cause: err,
			Message: "we were interrupted while looking at your pictures: please try again",
		}
	case errors.Is(err, biometrics.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return unavailable("signing in with your face is out of order at the moment: use another way", err)
	}
	return fmt.Errorf("analysing frames: %w", err)
}

var imageWords = map[biometrics.ImageReason]string{
	biometrics.ImageTooLarge:    "this picture is too large: let the camera page take it",
	biometrics.ImageTooSmall:    "this picture is too small: let the camera page take it",
	biometrics.ImageUnsupported: "this kind of picture can't be read: send JPEG, PNG or WebP",
	biometrics.ImageDamaged:     "this picture is damaged: take it again",
}

var codeWords = map[biometrics.CaptureCode]string{
	biometrics.CodeNoFace:    "we can't see a face: look straight into the camera, with light on your face",
	biometrics.CodeManyFaces: "we see more than one face: only you should be in the picture",
	biometrics.CodeImage:     "these pictures can't be used: take them again",
	biometrics.CodeQuality:   "these pictures are not clear enough: find more light and hold still",
	biometrics.CodePose:      "look straight into the camera",
}

var reasonWords = map[biometrics.CaptureReason]string{
	biometrics.ReasonDifferentPeople: "these pictures don't all show the same person: take them again, alone",
}
