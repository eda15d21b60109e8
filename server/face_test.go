package server_test

import (
	"bytes"
	"context"
	"html"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
)

// enrolFace answers an enrolment challenge with these frames.
func (p *person) enrolFace(frames ...[]byte) *answer {
	p.t.Helper()
	issued := p.post("/v1/me/face/challenge", map[string]any{"consent_version": face.ConsentVersion}).want(201)
	return p.post("/v1/me/face", newForm(p.t, issued.text("id"), frames...))
}

func (p *person) showFace(frames ...[]byte) *answer {
	p.t.Helper()
	issued := p.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	return p.post("/v1/verify/face", newForm(p.t, issued.text("id"), frames...))
}

// withFace is a person who has an authenticator app and enrolled a face.
func (s *site) withFace(name string, who int) *person {
	s.t.Helper()
	p := s.withTOTP(name)
	p.enrolFace(shots(0, who)...).want(201)
	return p
}

func TestFaceLetsItsOwnerInAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	ada.elsewhere().showFace(shots(10, 1)...).want(200).state(models.Authenticated, models.ACRMFA)
	stranger := ada.elsewhere()
	stranger.showFace(shots(10, 2)...).want(422, models.CodeFaceMismatch)
	stranger.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
}

func TestFaceNeedsAnotherWayInFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.post("/v1/me/face/challenge", map[string]any{"consent_version": face.ConsentVersion}).want(409, models.CodeConflict)
	ada.saveCodes()
	ada.get("/v1/session").want(200).state(models.EnrolmentRequired, models.ACROne) // codes alone are no factor
	ada.enrolFace(shots(0, 1)...).want(201).state(models.Authenticated, models.ACRMFA)
}

func TestFaceNeedsTheConsentTextAsItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	for _, version := range []string{"", "2020-01"} {
		ada.post("/v1/me/face/challenge", map[string]any{"consent_version": version}).want(400, models.CodeInvalidRequest)
	}
	ada.enrolFace(shots(0, 1)...).want(201)
	if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != true || state.Body["consented_at"] == nil {
		t.Fatalf("got %s", state.Raw)
	}
	ada.delete("/v1/me/face").want(204)
	if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != false || state.Body["consented_at"] != nil {
		t.Fatalf("withdrawn, yet %s", state.Raw)
	}
	ada.delete("/v1/me/face").want(404, models.CodeNotFound)
}

func TestCaptureRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	three := func(frame []byte) [][]byte { return [][]byte{frame, shots(5, 1)[1], shots(5, 1)[2]} }
	for name, c := range map[string]struct {
		frames [][]byte
		code   models.Code
		reason string
	}{
		"nobody":            {shots(5), models.CodeFaceNoFace, ""},
		"two people":        {shots(5, 1, 2), models.CodeFaceManyFaces, ""},
		"one still picture": {[][]byte{shots(5, 1)[0], shots(5, 1)[0], shots(5, 1)[0]}, models.CodeFaceImage, "equal_frames"},
		"people in turn":    {[][]byte{shots(5, 1)[0], shots(6, 2)[0], shots(7, 1)[0]}, models.CodeFaceQuality, "different_people"},
		"no picture":        {three([]byte("hello")), models.CodeFaceImage, "unsupported"},
		"half a picture":    {three(shots(5, 1)[0][:400]), models.CodeFaceImage, "damaged"},
		"tiny":              {three(pngOf(t, 20, 20)), models.CodeFaceImage, "too_small"},
	} {
		a := ada.elsewhere().showFace(c.frames...).want(422, c.code)
		if reason, _ := a.Body["reason"].(string); reason != c.reason {
			t.Errorf("%s: reason %q, want %q", name, reason, c.reason)
		}
	}
	// None of these compared a face, so all of the tries are left.
	for range 5 {
		ada.elsewhere().showFace(shots(20, 2)...).want(422, models.CodeFaceMismatch)
	}
	ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(429, models.CodeRateLimited)
}

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewRGBA(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOneFaceChallengeOf100InParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(generous)
	ada := s.withFace("ada", 1)
	tab := ada.elsewhere()
	id := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201).text("id")
	body := newForm(t, id, shots(10, 1)...)
	counts := parallel(100, func(int) *answer {
		for {
			// Few captures of one account are taken at once; the others come again.
			if a := tab.clone().post("/v1/verify/face", body); a.Status != 503 {
				return a
			}
		}
	})
	if counts[200] != 1 || counts[200]+counts[410]+counts[401] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}
}

func TestFaceChallengeIsBoundToSessionAndPurpose(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	eve := s.withFace("eve", 2)
	id := ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(201).text("id")
	tab := eve.elsewhere()
	tab.post("/v1/verify/face", newForm(t, id, shots(10, 2)...)).want(410, models.CodeChallengeExpired)
	enrolment := eve.post("/v1/me/face/challenge", map[string]any{"consent_version": face.ConsentVersion}).want(201).text("id")
	eve.post("/v1/verify/face", newForm(t, enrolment, shots(10, 2)...)).want(410, models.CodeChallengeExpired)
	id = tab.post("/v1/verify/face/challenge", map[string]any{}).want(201).text("id")
	s.Clock.Advance(90 * time.Second)
	tab.post("/v1/verify/face", newForm(t, id, shots(10, 2)...)).want(410, models.CodeChallengeExpired)
}

func TestAStricterThresholdBindsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	begun := ada.elsewhere()
	begun.showFace(shots(10, 1)...).want(200)
	begun = ada.elsewhere() // under the old policy
	s.force(func(p *models.Policy) { p.Face.Threshold = 0.01 })
	begun.showFace(shots(10, 1)...).want(422, models.CodeFaceMismatch)
	ada.elsewhere().showFace(shots(10, 1)...).want(422, models.CodeFaceMismatch)
	// Made milder again, what began under the strict one stays strict.
	strict := ada.elsewhere()
	s.force(func(p *models.Policy) { p.Face.Threshold = 0.45 })
	strict.showFace(shots(10, 1)...).want(422, models.CodeFaceMismatch)
	ada.elsewhere().showFace(shots(10, 1)...).want(200)
}

func TestAnotherYardstickMakesFaceUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	s.force(func(p *models.Policy) { p.Face.Model = "dlib-v1" })
	ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(503, models.CodeFaceUnavailable)
}

func TestTemplatesOfAnotherModelAreNotCompared(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	if _, err := s.Pool.Exec(t.Context(), `UPDATE face_templates SET model_key = 'older'`); err != nil {
		t.Fatal(err)
	}
	ada.elsewhere().showFace(shots(10, 1)...).want(503, models.CodeFaceUnavailable)
}

func TestABrokenEngineGivesTheTryBack(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"crash": &biometrics.CrashError{Reason: "signal: killed"},
		"busy":  &biometrics.BusyError{RetryAfter: 3 * time.Second},
		"gone":  &biometrics.UnavailableError{Reason: "no workers"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			ada := s.withFace("ada", 1)
			var fail bool
			s.engine.OnAnalyze = func(_ context.Context, frames []biometrics.Frame) ([]biometrics.Observation, error) {
				if fail {
					return nil, failure
				}
				return readFrames(frames)
			}
			fail = true
			for range 8 { // more than the limit of 5
				a := ada.elsewhere().showFace(shots(10, 1)...).want(503, models.CodeFaceUnavailable)
				if a.Header.Get("Retry-After") == "" || strings.Contains(string(a.Raw), failure.Error()) {
					t.Fatalf("got %v %s", a.Header, a.Raw)
				}
			}
			fail = false
			ada.elsewhere().showFace(shots(10, 1)...).want(200)
		})
	}
}

func TestWithoutAnEngineOtherFactorsServe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	s.engine.SetStatus(biometrics.Status{Reason: "no models"})
	tab := ada.elsewhere()
	tab.post("/v1/verify/face/challenge", map[string]any{}).want(503, models.CodeFaceUnavailable)
	s.nextStep()
	tab.post("/v1/verify/totp", map[string]any{"code": tab.code()}).want(200)
}

func TestFaceBodies(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	id := func() string {
		return ada.post("/v1/verify/face/challenge", map[string]any{}).want(201).text("id")
	}
	ada.post("/v1/verify/face", map[string]any{"challenge": id()}).want(400, models.CodeInvalidRequest)
	ada.post("/v1/verify/face", newForm(t, id(), shots(10, 1)[:2]...)).want(400, models.CodeInvalidRequest)
	ada.post("/v1/verify/face", newForm(t, id(), append(shots(10, 1), shots(20, 1)...)...)).want(400, models.CodeInvalidRequest)
	ada.post("/v1/verify/face", newForm(t, "not-an-id", shots(10, 1)...)).want(400, models.CodeInvalidRequest)
	ada.post("/v1/verify/face", newForm(t, id(), shots(10, 1)[0], shots(10, 1)[1], make([]byte, 6<<20))).want(413, models.CodeTooLarge)
	ada.post("/v1/verify/face", newForm(t, string(models.NewID(s.Clock.Now())), shots(10, 1)...)).want(410, models.CodeChallengeExpired)
}

// Looking at pictures costs work even where nobody is compared, so that the
// tries which are given back must end too.
func TestStartedCapturesAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.FaceCapture.Max = 3 })
	ada := s.withFace("ada", 1) // the first
	for range 2 {
		ada.showFace(shots(10)...).want(422, models.CodeFaceNoFace)
	}
	ada.post("/v1/verify/face/challenge", map[string]any{}).want(429, models.CodeRateLimited)
	ada.post("/v1/me/face/challenge", map[string]any{"consent_version": face.ConsentVersion}).want(429, models.CodeRateLimited)
}

func TestTheAccountPageSaysWhatAFaceCannotDo(t *testing.T) {
	t.Parallel()
	page := newSite(t).withTOTP("ada").get("/account").want(200)
	if !strings.Contains(string(page.Raw), html.EscapeString(face.Statement)) {
		t.Errorf("no %q on the page", face.Statement)
	}
}

// The framework's own parser of forms may write what is uploaded into files,
// and fasthttp writes bodies from 16 MiB on.
func TestPicturesNeverBecomeFiles(t *testing.T) {
	t.Parallel()
	config := newSite(t).server.App().Config()
	if !config.DisablePreParseMultipartForm || config.BodyLimit >= 16<<20 {
		t.Errorf("forms are left alone: %v, bodies have up to %d bytes", config.DisablePreParseMultipartForm, config.BodyLimit)
	}
}
