package face

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"

	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

// capture is what a client sends to answer a challenge.
type capture struct {
	challenge models.ID
	frames    [][]byte // as uploaded
}

// receive takes a capture in: it reads the frames, takes the challenge that they
// answer, and turns them into descriptors.
func (h *Handlers) receive(c *fiber.Ctx, purpose string) ([]biometrics.Descriptor, models.Challenge, biometrics.Model, error) {
	var nothing biometrics.Model
	if err := h.checkAvailable(c); err != nil {
		return nil, models.Challenge{}, nothing, err
	}
	session := web.Session(c).ID
	// Whoever has no challenge gets nothing read: challenges are counted.
	if err := h.Store.ChallengeStands(c.UserContext(), session, purpose); err != nil {
		return nil, models.Challenge{}, nothing, err
	}
	giveBack, err := h.turns.take(session)
	if err != nil {
		return nil, models.Challenge{}, nothing, err
	}
	defer giveBack()
	got, err := h.readCapture(c)
	if err != nil {
		return nil, models.Challenge{}, nothing, err
	}
	return h.look(c, got, purpose)
}

// readCapture reads the multipart body from memory: the framework's own parser
// would write temporary files, and pictures are never written anywhere.
func (h *Handlers) readCapture(c *fiber.Ctx) (capture, error) {
	var got capture
	bad := models.Invalid("", "multipart", "send multipart/form-data with the challenge and a frame for each prompt")
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEMultipartForm || params["boundary"] == "" {
		return got, bad
	}
	reader := multipart.NewReader(web.BodyReader(c), params["boundary"])
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return got, orTooLarge(err, bad)
		}
		switch part.FormName() {
		case "challenge":
			text, err := io.ReadAll(io.LimitReader(part, 64))
			if err != nil {
				return got, orTooLarge(err, bad)
			}
			got.challenge, err = models.ParseID(string(text))
			if err != nil {
				return got, models.Invalid("challenge", "malformed", "this is no challenge id")
			}
		case "frame":
			if len(got.frames) == frames {
				return got, models.Invalid("frame", "count", "send one frame for each prompt")
			}
			limit := h.Gate.Config().MaxBytes
			data, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
			if err != nil {
				return got, orTooLarge(err, bad)
			}
			if len(data) > limit {
				return got, models.Refuse(models.CodeTooLarge, fmt.Sprintf("a frame may have at most %d bytes", limit))
			}
			got.frames = append(got.frames, data)
		default:
			return got, models.Invalid(part.FormName(), "unknown_field", "this field is not known here")
		}
	}
	if got.challenge == "" {
		return got, models.Invalid("challenge", "missing", "name the challenge that these frames answer")
	}
	if len(got.frames) != frames {
		return got, models.Invalid("frame", "count", "send one frame for each prompt")
	}
	return got, nil
}

// orTooLarge keeps the refusal of a body that goes beyond the route's limit.
func orTooLarge(err, otherwise error) error {
	if models.CodeOf(err) == models.CodeTooLarge {
		return err
	}
	return otherwise
}

// look takes the challenge, which serves once whatever comes of it, and turns
// its frames into descriptors. Errors are answers already; none of them says
// anything about who the person is.
func (h *Handlers) look(c *fiber.Ctx, got capture, purpose string) ([]biometrics.Descriptor, models.Challenge, biometrics.Model, error) {
	var model biometrics.Model
	challenge, err := h.Store.ConsumeChallenge(c.UserContext(), web.Session(c).ID, purpose, got.challenge)
	if err != nil {
		return nil, challenge, model, err
	}
	var data challengeData
	if err := json.Unmarshal(challenge.Data, &data); err != nil {
		return nil, challenge, model, err
	}
	descriptors, model, err := h.describe(c, data.Prompts, got.frames)
	if err != nil {
		return nil, challenge, model, h.noComparison(c, challenge, refuse(err))
	}
	return descriptors, challenge, model, nil
}

func (h *Handlers) describe(c *fiber.Ctx, prompts []biometrics.Prompt, uploads [][]byte) ([]biometrics.Descriptor, biometrics.Model, error) {
	model := h.Engine.Status().Model
	var opened []biometrics.Frame
	for _, data := range uploads {
		frame, err := h.Gate.Open(c.UserContext(), data)
		if err != nil {
			return nil, model, err
		}
		opened = append(opened, frame)
	}
	if err := biometrics.CheckFrames(prompts, opened); err != nil {
		return nil, model, err
	}
	seen, err := h.Engine.Analyze(c.UserContext(), opened)
	if err != nil {
		return nil, model, err
	}
	// Workers may have been replaced by others with another model meanwhile:
	// then nobody knows which of the two looked.
	if h.Engine.Status().Model != model {
		return nil, model, &biometrics.CrashError{Reason: "the model changed while looking"}
	}
	descriptors, err := biometrics.Assess(prompts, opened, seen)
	return descriptors, model, err
}

// noComparison gives the attempt back when no face was compared: the person
// had no try, and an attacker learnt nothing. Started captures stay counted.
func (h *Handlers) noComparison(c *fiber.Ctx, challenge models.Challenge, refusal error) error {
	if challenge.Purpose != purposeVerify {
		return refusal
	}
	h.GiveBack(c, web.Subject(web.Session(c).User.ID), string(models.Face), h.Policy(c).Limits.Face, challenge.CreatedAt)
	return refusal
}
