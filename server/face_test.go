package server_test

import (
	"bytes"
	"context"
	"html"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
)

func TestFaceLetsItsOwnerInAndNobodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	ada.elsewhere().showFace(someone(1)).want(200).state(models.Authenticated, models.ACRMFA)
	stranger := ada.elsewhere()
	stranger.showFace(someone(2)).want(422, models.CodeFaceMismatch)
	stranger.get("/v1/session").want(200).state(models.SecondFactorRequired, models.ACROne)
}

// A stranger and a photograph get the very same answer: whoever tries learns
// nothing from it.
func TestAttackAndMismatchLookAlike(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	stranger := ada.elsewhere().showFace(someone(2)).want(422, models.CodeFaceMismatch)
	for name, attack := range map[string]camera{
		"her photo":                 player(biometricstest.Still(1, 5)),
		"her, to another script":    player(biometricstest.WrongScript(1, 5)),
		"a stranger's photo":        player(biometricstest.Still(2, 5)),
		"a stranger, wrong as well": player(biometricstest.WrongScript(2, 5)),
	} {
		ada.site.Clock.Advance(time.Minute) // past the wait between tries
		got := ada.elsewhere().showFace(attack).want(422, models.CodeFaceMismatch)
		if !bytes.Equal(got.Raw, stranger.Raw) {
			t.Errorf("%s: %s\nand a stranger: %s", name, got.Raw, stranger.Raw)
		}
	}
	// The auditors are told apart what spoke for an attack.
	var attacks, strangers int
	err := s.Pool.QueryRow(t.Context(), `
		SELECT count(*) FILTER (WHERE detail -> 'live' = 'false'), count(*) FILTER (WHERE detail -> 'live' = 'true')
		FROM events WHERE fact = 'face_refused'`).Scan(&attacks, &strangers)
	if err != nil || attacks != 4 || strangers != 1 {
		t.Errorf("the log has %d attacks and %d strangers, %v", attacks, strangers, err)
	}
}

func TestAPhotoCannotBeEnrolled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withTOTP("ada")
	ada.enrolFace(player(biometricstest.Still(1, 5))).want(422, models.CodeFaceMismatch)
	if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != false {
		t.Errorf("got %s", state.Raw)
	}
}

func TestFaceNeedsAnotherWayInFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.register("ada")
	ada.askEnrol(nil).want(409, models.CodeConflict)
	ada.saveCodes()
	ada.get("/v1/session").want(200).state(models.EnrolmentRequired, models.ACROne) // codes alone are no factor
	ada.enrolFace(someone(1)).want(201).state(models.Authenticated, models.ACRMFA)
}

// What is wrong with the pictures is told while they are taken.
func TestCaptureRefusals(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	always := func(upload []byte) camera { return func(biometrics.Cue) []byte { return upload } }
	crowd := func() camera {
		shot := 0
		return func(biometrics.Cue) []byte { shot = (shot + 1) % 64; return biometricstest.Draw(shot, 1, 2) }
	}
	for name, c := range map[string]struct {
		camera camera
		code   models.Code
		reason string
	}{
		"nobody":         {blank(), models.CodeFaceNoFace, ""},
		"two people":     {crowd(), models.CodeFaceManyFaces, ""},
		"no picture":     {always([]byte("hello")), models.CodeFaceImage, "unsupported"},
		"half a picture": {always(biometricstest.Draw(5, 1)[:400]), models.CodeFaceImage, "damaged"},
		"tiny":           {always(pngOf(t, 20, 20)), models.CodeFaceImage, "too_small"},
	} {
		tab := ada.elsewhere()
		issued := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
		end := tab.before(issued, c.camera, nil)
		if end.Captured || end.Refused == nil || end.Refused.Code != c.code || end.Refused.Reason != c.reason || end.Refused.Detail == "" {
			t.Errorf("%s: %+v %+v", name, end, end.Refused)
		}
		tab.post("/v1/verify/face", map[string]any{"challenge": issued.text("id")}).want(410, models.CodeChallengeExpired)
	}
	// None of these compared a face, so all of the tries are left.
	for range 5 {
		ada.elsewhere().showFace(someone(2)).want(422, models.CodeFaceMismatch)
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

func TestOneCaptureOf100TakesInParallel(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	tab := ada.elsewhere()
	issued := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	tab.before(issued, someone(1), nil)
	body := map[string]any{"challenge": issued.text("id")}
	counts := parallel(100, func(int) *answer { return tab.clone().post("/v1/verify/face", body) })
	if counts[200] != 1 || counts[200]+counts[410]+counts[401] != 100 {
		t.Fatalf("answers %v: exactly one may win", counts)
	}
}

// A challenge serves one camera: what the first saw of the script must not help
// a second.
func TestAChallengeOpensOneCamera(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	tab := ada.elsewhere()
	issued := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	tab.openCamera(issued)
	if _, response, err := tab.dialPath(s.live(), issued.text("capture"), nil); err == nil || response.StatusCode != http.StatusGone {
		t.Errorf("the second camera got %v %v", response, err)
	}
}

func TestFaceChallengeIsBoundToSessionAndPurpose(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	eve := s.withFace("eve", 2)
	adas := ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(201)
	tab := eve.elsewhere()
	refused := func(path string) {
		t.Helper()
		if _, response, err := tab.dialPath(s.live(), path, nil); err == nil || response.StatusCode != http.StatusGone {
			t.Errorf("%s got %v %v", path, response, err)
		}
	}
	refused(adas.text("capture"))
	tab.post("/v1/verify/face", map[string]any{"challenge": adas.text("id")}).want(410, models.CodeChallengeExpired)

	enrolment := eve.askEnrol(nil).want(201)
	eve.before(enrolment, someone(2), nil)
	eve.post("/v1/verify/face", map[string]any{"challenge": enrolment.text("id")}).want(410, models.CodeChallengeExpired)
	refused("/v1/verify/face/capture?challenge=" + enrolment.text("id"))

	late := tab.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	tab.before(late, someone(2), nil)
	s.Clock.Advance(90 * time.Second)
	tab.post("/v1/verify/face", map[string]any{"challenge": late.text("id")}).want(410, models.CodeChallengeExpired)
}

func TestAStricterThresholdBindsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	begun := ada.elsewhere()
	begun.showFace(someone(1)).want(200)
	begun = ada.elsewhere() // under the old policy
	s.force(func(p *models.Policy) { p.Face.Threshold = 0.01 })
	begun.showFace(someone(1)).want(422, models.CodeFaceMismatch)
	ada.elsewhere().showFace(someone(1)).want(422, models.CodeFaceMismatch)
	// Made milder again, what began under the strict one stays strict.
	strict := ada.elsewhere()
	s.force(func(p *models.Policy) { p.Face.Threshold = 0.45 })
	strict.showFace(someone(1)).want(422, models.CodeFaceMismatch)
	ada.elsewhere().showFace(someone(1)).want(200)
}

func TestAStricterLivenessBindsAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	s.force(func(p *models.Policy) {
		p.Face.Liveness, p.Unsafe = models.LivenessOff, []string{models.UnsafeLiveness}
	})
	ada.elsewhere().showFace(player(biometricstest.Still(1, 5))).want(200) // that is what off means
	begun := ada.elsewhere()
	s.force(func(p *models.Policy) { p.Face.Liveness = models.LivenessActive })
	begun.showFace(player(biometricstest.Still(1, 5))).want(422, models.CodeFaceMismatch)
}

func TestAnotherYardstickMakesFaceUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	for name, change := range map[string]func(*models.FacePolicy){
		"model":  func(p *models.FacePolicy) { p.Model = "dlib-v1" },
		"metric": func(p *models.FacePolicy) { p.Metric = biometrics.MetricNormalized }, // and there is no cohort
		"fusion": func(p *models.FacePolicy) { p.Fusion = "other" },
	} {
		tab := ada.elsewhere()
		old := s.policies.Current()
		s.force(func(p *models.Policy) { change(&p.Face) })
		if a := tab.post("/v1/verify/face/challenge", map[string]any{}); a.Status != 503 || a.code() != models.CodeFaceUnavailable {
			t.Errorf("%s: got %d %s", name, a.Status, a.Raw)
		}
		s.force(func(p *models.Policy) { *p = old })
	}
}

func TestTemplatesOfAnotherModelAreNotCompared(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	other := biometricstest.Model
	other.DescriptorSHA256 = "4444444444444444444444444444444444444444444444444444444444444444"
	s.engine.SetStatus(biometrics.Status{Ready: true, Model: other})
	ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(503, models.CodeFaceUnavailable)
	if state := ada.get("/v1/me/face").want(200); state.Body["outdated"] != true {
		t.Errorf("nobody is told to enrol anew: %s", state.Raw)
	}
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
				return biometricstest.Read(frames)
			}
			fail = true
			for range 8 { // more than the five that come without a wait
				tab := ada.elsewhere()
				end := tab.before(tab.post("/v1/verify/face/challenge", map[string]any{}).want(201), someone(1), nil)
				if end.Refused == nil || end.Refused.Code != models.CodeFaceUnavailable || strings.Contains(end.Refused.Detail, failure.Error()) {
					t.Fatalf("got %+v %+v", end, end.Refused)
				}
			}
			fail = false
			ada.elsewhere().showFace(someone(1)).want(200)
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

// Looking at pictures costs work even where nobody is compared, so that the
// tries which are given back must end too.
func TestStartedCapturesAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.force(func(p *models.Policy) { p.Limits.FaceCapture.Max = 3 })
	ada := s.withFace("ada", 1) // the first
	for range 2 {
		ada.before(ada.post("/v1/verify/face/challenge", map[string]any{}).want(201), blank(), nil)
	}
	ada.post("/v1/verify/face/challenge", map[string]any{}).want(429, models.CodeRateLimited)
	ada.askEnrol(nil).want(429, models.CodeRateLimited)
}

// Whoever leaves once a prompt was told has seen the script: that stays a try.
func TestLeavingACaptureStaysATry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ada := s.withFace("ada", 1)
	for range 5 {
		tab := ada.elsewhere()
		conn := tab.openCamera(tab.post("/v1/verify/face/challenge", map[string]any{}).want(201))
		if err := conn.WriteJSON(map[string]any{}); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, _, err := conn.ReadMessage(); err != nil { // the first cue
			t.Fatal(err)
		}
		_ = conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
		_, _, _ = conn.ReadMessage() // the server is done with it
	}
	ada.elsewhere().post("/v1/verify/face/challenge", map[string]any{}).want(429, models.CodeRateLimited)
}

func TestTheAccountPageSaysWhatAFaceCannotDo(t *testing.T) {
	t.Parallel()
	page := newSite(t).withTOTP("ada").get("/account").want(200)
	if !strings.Contains(string(page.Raw), html.EscapeString(face.Statement)) {
		t.Errorf("no %q on the page", face.Statement)
	}
}

// Frames of two people must not become one person's templates, whether liveness
// is judged or not.
func TestASetThatDisagreesIsNotEnrolled(t *testing.T) {
	t.Parallel()
	for _, liveness := range []models.Liveness{models.LivenessActive, models.LivenessOff} {
		s := newSite(t)
		s.force(func(p *models.Policy) { p.Face.Liveness, p.Unsafe = liveness, []string{models.UnsafeLiveness} })
		ada := s.withTOTP("ada")
		people := []*biometricstest.Player{biometricstest.Genuine(1, 0), biometricstest.Genuine(2, 0)}
		shown := 0
		issued := ada.askEnrol(nil).want(201)
		end := ada.before(issued, func(cue biometrics.Cue) []byte { shown++; return people[shown%2].Frame(cue) }, nil)
		if liveness == models.LivenessOff && (end.Refused == nil || end.Refused.Reason != "different_people") {
			t.Errorf("%s: got %+v %+v", liveness, end, end.Refused)
		}
		if a := ada.post("/v1/me/face", map[string]any{"challenge": issued.text("id")}); a.Status < 400 {
			t.Errorf("%s: got %d", liveness, a.Status)
		}
		if state := ada.get("/v1/me/face").want(200); state.Body["enrolled"] != false {
			t.Errorf("%s: %s", liveness, state.Raw)
		}
	}
}
