package face

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/web"
)

const (
	framesPerSecond = 5
	// maxFrames bounds the work of one capture: a slow person needs half of it.
	maxFrames = 300
	// frameWithin is how long a browser may take from a cue to its frame.
	frameWithin  = 10 * time.Second
	writeWithin  = 5 * time.Second
	maxHandshake = 4 << 10
)

// sitting is one camera before one challenge.
type sitting struct {
	h         *Handlers
	conn      *websocket.Conn
	session   models.Session
	policy    models.Policy
	challenge models.Challenge
	data      challengeData
	frames    [][]byte // SHA-256 of each upload
}

// Capture answers GET /v1/verify/face/capture and /v1/me/face/capture: a
// WebSocket that plays a challenge. The browser first says which key it has, if
// any; then each frame it sends is answered with the next cue. The server alone
// judges, by its own clock.
func (h *Handlers) Capture(c *fiber.Ctx) error {
	if !websocket.IsWebSocketUpgrade(c) {
		return models.Invalid("", "upgrade", "this address speaks WebSocket")
	}
	if !h.Knows(c.Get(fiber.HeaderOrigin)) {
		return models.Refuse(models.CodeCrossSite, "this request came from another site")
	}
	if err := h.checkAvailable(c); err != nil {
		return err
	}
	id, err := models.ParseID(c.Query("challenge"))
	if err != nil {
		return models.Invalid("challenge", "malformed", "this is no challenge id")
	}
	s := sitting{h: h, session: web.Session(c), policy: h.Policy(c)}
	giveBack, err := h.turns.take(h.Now(), s.session.ID, h.Engine.Status().Load)
	if err != nil {
		return err
	}
	purposes := []string{purposeEnrol, purposeImprove}
	if c.Path() == capturePaths[purposeVerify] {
		purposes = []string{purposeVerify}
	}
	if s.challenge, err = h.open(c.UserContext(), s.session.ID, purposes, id); err == nil {
		err = json.Unmarshal(s.challenge.Data, &s.data)
	}
	if err != nil {
		giveBack()
		return err
	}
	return websocket.New(func(conn *websocket.Conn) {
		defer giveBack()
		s.conn = conn
		s.run()
	}, websocket.Config{RecoverHandler: s.recover})(c)
}

// open opens the challenge, which serves one camera whatever comes of it.
func (h *Handlers) open(ctx context.Context, session models.ID, purposes []string, id models.ID) (models.Challenge, error) {
	var err error
	for _, purpose := range purposes {
		var challenge models.Challenge
		challenge, err = h.Store.OpenCapture(ctx, session, purpose, id)
		if models.CodeOf(err) != models.CodeChallengeExpired {
			return challenge, err
		}
	}
	return models.Challenge{}, err
}

// recover ends a sitting that went wrong on our side like one that broke off.
func (s *sitting) recover(*websocket.Conn) {
	if r := recover(); r != nil {
		s.h.Log.Error("a capture panicked", "panic", r)
	}
}

// run plays the challenge and says how it ended.
func (s *sitting) run() {
	ctx, cancel := context.WithTimeout(context.Background(), challengeWithin)
	defer cancel()
	err := s.play(ctx)
	switch {
	case errors.Is(err, errGone):
		// Nobody is there to be told. The try stays counted: who leaves has seen
		// what was asked.
	case err != nil:
		s.say(refusalBody{Refused: problemOf(refuse(err))})
	default:
		s.say(capturedBody{Captured: true})
	}
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(writeWithin))
	// The library's Close leaves the connection open; a deadline in the past ends it.
	_ = s.conn.SetReadDeadline(time.Now())
}

// errGone says that the browser is no longer there, or talks nonsense.
var errGone = errors.New("the camera's end is gone")

type cueBody struct {
	Cue biometrics.Cue `json:"cue"`
}

type capturedBody struct {
	Captured bool `json:"captured"`
}

type refusalBody struct {
	Refused problemBody `json:"refused"`
}

type problemBody struct {
	Code       models.Code `json:"code"`
	Reason     string      `json:"reason,omitempty"`
	Detail     string      `json:"detail"`
	RetryAfter int         `json:"retry_after,omitempty"` // seconds
}

func problemOf(err error) problemBody {
	var refusal *models.Error
	if !errors.As(err, &refusal) {
		return problemBody{Code: models.CodeInternal, Detail: "something went wrong on our side"}
	}
	return problemBody{refusal.Code, refusal.Reason, refusal.Message, int(refusal.RetryAfter.Seconds())}
}

func (s *sitting) say(body any) {
	_ = s.conn.SetWriteDeadline(time.Now().Add(writeWithin))
	_ = s.conn.WriteJSON(body) // reading notices who is gone
}

// play directs the person, keeps what came of it, and gives the try back where
// nothing was shown that could be judged.
func (s *sitting) play(ctx context.Context) error {
	key, err := s.authenticate(ctx)
	if err != nil {
		return err
	}
	engine, err := s.engine(ctx)
	if err != nil {
		s.giveBack(ctx)
		return err
	}
	model := engine.Status().Model
	evidence, err := s.direct(ctx, engine)
	if err == nil && engine.Status().Model != model {
		// Workers were replaced by others with another model: nobody knows which
		// of the two looked.
		err = &biometrics.CrashError{Reason: "the model changed while looking"}
	}
	switch {
	case err != nil:
	case evidence.Refused != nil:
		err = evidence.Refused
	case s.challenge.Purpose != purposeVerify:
		err = evidence.Agree()
	}
	if err != nil {
		if !errors.Is(err, errGone) && evidence.Counts.Steps == 0 {
			s.giveBack(ctx) // no prompt was told but to look straight
		}
		return err
	}
	live := !evidence.IsAttack(s.data.Script.Mode, rulesOf(s.policy.Face))
	taken, err := newCapture(evidence, model, live)
	if err != nil {
		return err
	}
	taken.Frames, taken.Key = s.frames, key
	doc, err := json.Marshal(taken)
	if err != nil {
		return err
	}
	return s.h.Store.KeepCapture(ctx, s.challenge.ID, doc)
}

// engine is the one that can compare with the account's templates.
func (s *sitting) engine(ctx context.Context) (biometrics.Engine, error) {
	if s.challenge.Purpose != purposeVerify {
		return s.h.Engine, nil
	}
	face, err := s.h.Store.FaceFactor(ctx, s.session.User.ID)
	if err != nil {
		return nil, err
	}
	engine, _, err := s.h.engineFor(s.policy.Face, face)
	return engine, err
}

// direct shows cues and looks at frames until the script is played.
func (s *sitting) direct(ctx context.Context, engine biometrics.Engine) (biometrics.Evidence, error) {
	rules := rulesOf(s.policy.Face)
	director := biometrics.NewCapture(s.data.Script, rules)
	cue := director.Begin()
	began := s.h.Now()
	for !cue.Done && len(s.frames) < maxFrames {
		s.say(cueBody{cue})
		upload, err := s.read(websocket.BinaryMessage, s.h.Gate.Config().MaxBytes)
		if err != nil {
			return director.Finish(), err
		}
		at := s.h.Now().Sub(began)
		sum := sha256.Sum256(upload)
		s.frames = append(s.frames, sum[:])
		sight, err := s.look(ctx, engine, upload, rules)
		clear(upload)
		if err != nil {
			return director.Finish(), err
		}
		cue = director.Add(at, sight)
	}
	return director.Finish(), nil
}

// look sees one frame and forgets its picture.
func (s *sitting) look(ctx context.Context, engine biometrics.Engine, upload []byte, rules biometrics.Rules) (biometrics.Sight, error) {
	frame, err := s.h.Gate.Open(ctx, upload)
	if err != nil {
		return biometrics.Sight{}, err
	}
	defer frame.Wipe()
	seen, err := engine.Analyze(ctx, []biometrics.Frame{frame})
	if err != nil {
		return biometrics.Sight{}, err
	}
	return biometrics.See(frame, seen[0], rules), nil
}

// read waits for one message of a kind; errGone for anything else.
func (s *sitting) read(kind, limit int) ([]byte, error) {
	s.conn.SetReadLimit(int64(limit))
	_ = s.conn.SetReadDeadline(time.Now().Add(frameWithin))
	got, data, err := s.conn.ReadMessage()
	if err != nil || got != kind {
		return nil, errGone
	}
	return data, nil
}

// giveBack gives the attempt back where no face was compared and no script was
// seen: the person had no try, and an attacker learnt nothing. Started captures
// stay counted.
func (s *sitting) giveBack(ctx context.Context) {
	if s.challenge.Purpose != purposeVerify {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeWithin)
	defer cancel()
	if err := s.h.Store.GiveFaceTryBack(ctx, s.session.User.ID, s.policy.Face.Failures); err != nil {
		s.h.Log.Warn("a try was not given back", "error", err)
	}
}

// rulesOf maps the policy to the limits by which frames and captures are judged.
func rulesOf(p models.FacePolicy) biometrics.Rules {
	rules := biometrics.DefaultRules()
	rules.Sharpness, rules.Contrast, rules.FacePixels = p.Quality.Sharpness, p.Quality.Contrast, p.Quality.FaceSide
	rules.LumaMin, rules.LumaMax = p.Quality.MinLuma, p.Quality.MaxLuma
	rules.AttackThreshold = p.LivenessThreshold
	return rules
}
