package face

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

// capture is what a camera gave to a challenge: what the socket leaves, sealed,
// for the request that takes it. It lives as long as the challenge does.
type capture struct {
	Model    biometrics.Model `json:"model"` // what described the frames
	Live     bool             `json:"live"`
	Audit    audit            `json:"audit"`
	Straight [][]byte         `json:"straight"` // descriptors, as MarshalBinary writes them
	Turned   []turned         `json:"turned,omitempty"`
	Frames   [][]byte         `json:"frames"`        // SHA-256 of each upload, in order
	Key      *signer          `json:"key,omitempty"` // who opened the camera
}

type turned struct {
	Prompt     biometrics.Prompt `json:"prompt"`
	Descriptor []byte            `json:"descriptor"`
}

// audit is what an event may tell of a capture: nothing of whose face it was.
type audit struct {
	Attack  float64           `json:"attack"` // the presentation-attack score, to a tenth
	Reasons []biometrics.Sign `json:"reasons"`
	Counts  biometrics.Counts `json:"counts"`
}

// newCapture packs what a capture came to.
func newCapture(evidence biometrics.Evidence, model biometrics.Model, live bool) (capture, error) {
	c := capture{Model: model, Live: live, Audit: audit{
		Attack: float64(int(evidence.Attack.Score*10+0.5)) / 10, Reasons: evidence.Attack.Reasons, Counts: evidence.Counts,
	}}
	for _, d := range evidence.Straight {
		raw, err := d.MarshalBinary()
		if err != nil {
			return capture{}, err
		}
		c.Straight = append(c.Straight, raw)
	}
	for _, t := range evidence.Turned {
		raw, err := t.Descriptor.MarshalBinary()
		if err != nil {
			return capture{}, err
		}
		c.Turned = append(c.Turned, turned{t.Prompt, raw})
	}
	return c, nil
}

// readCapture unpacks what a taken challenge holds; challenge_expired when no
// camera was before it.
func readCapture(challenge models.Challenge) (capture, error) {
	var c capture
	if challenge.Capture == nil {
		return c, models.Refuse(models.CodeChallengeExpired, "no pictures were taken for this: start again")
	}
	if err := json.Unmarshal(challenge.Capture, &c); err != nil {
		return c, fmt.Errorf("kept capture: %w", err)
	}
	return c, nil
}

// descriptors reads raw descriptors.
func descriptors(raw [][]byte) ([]biometrics.Descriptor, error) {
	out := make([]biometrics.Descriptor, len(raw))
	for i := range raw {
		if err := out[i].UnmarshalBinary(raw[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxCompared is how many templates are compared: a threshold was measured with
// some number of them, and the mean of many more lies nearer to everybody.
const maxCompared = 5

// compared picks the straight templates of one model to compare with, spread
// evenly over the sittings, and gives their ids.
func compared(face models.FaceFactor, modelKey string) (raw [][]byte, ids []models.ID) {
	var sittings [][]models.FaceTemplate
	for _, c := range face.Captures {
		if c.ModelKey == modelKey {
			sittings = append(sittings, slices.DeleteFunc(slices.Clone(c.Templates), func(t models.FaceTemplate) bool { return t.Pose != "straight" }))
		}
	}
	for row := 0; len(ids) < maxCompared; row++ {
		found := false
		for _, templates := range slices.Backward(sittings) { // the newest first
			if row < len(templates) && len(ids) < maxCompared {
				raw, ids, found = append(raw, templates[row].Descriptor), append(ids, templates[row].ID), true
			}
		}
		if !found {
			break
		}
	}
	return raw, ids
}
