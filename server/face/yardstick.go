package face

import (
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// engineFor picks the net that an account's newest templates were made by, and
// the yardstick of the policy that belongs to it: the installed net's, or for
// those who have not enrolled anew the one's before. face_unavailable when there
// is neither.
func (h *Handlers) engineFor(policy models.FacePolicy, face models.FaceFactor) (biometrics.Engine, biometrics.Yardstick, error) {
	key := newest(face).ModelKey
	try := func(engine biometrics.Engine, named models.Yardstick) (biometrics.Engine, biometrics.Yardstick, error) {
		yardstick, err := h.Cohorts.Yardstick(named, engine.Status().Model)
		if err != nil {
			return nil, yardstick, unavailable("signing in with your face is being set up anew here: use another way", err)
		}
		return engine, yardstick, nil
	}
	if key == h.Engine.Status().Model.Key() {
		return try(h.Engine, policy.Yardstick)
	}
	if h.Previous != nil && policy.Previous != nil && key == h.Previous.Status().Model.Key() {
		return try(h.Previous, *policy.Previous)
	}
	return nil, biometrics.Yardstick{}, unavailable("your face was enrolled with an older version: use another way, then enrol it anew", nil)
}

// improvable gives the sittings that another can be added to; conflict when
// the face has to be enrolled anew instead.
func improvable(face models.FaceFactor, model biometrics.Model) ([][]byte, error) {
	if !face.Enrolled() || face.DisabledAt != nil || newest(face).ModelKey != model.Key() {
		return nil, models.Refuse(models.CodeConflict, "there is no face to add to: enrol it anew")
	}
	raw, _ := compared(face, model.Key())
	return raw, nil
}
