package server_test

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/models"
)

// camera answers cues with frames.
type camera func(biometrics.Cue) []byte

// player is a camera before a made-up person.
func player(p *biometricstest.Player) camera { return p.Frame }

// blank is a camera before an empty chair.
func blank() camera {
	shot := 0
	return func(biometrics.Cue) []byte {
		shot = (shot + 1) % 64
		return biometricstest.Draw(shot)
	}
}

// ending is the last word of a capture's socket.
type ending struct {
	Captured bool
	Refused  *struct {
		Code   models.Code
		Reason string
		Detail string
	}
}

// before puts a camera before an issued challenge. hello is the browser's first
// message; nil for one without a key.
func (p *person) before(issued *answer, cam camera, hello any) ending {
	p.t.Helper()
	conn := p.openCamera(issued)
	if hello == nil {
		hello = map[string]any{}
	}
	if err := conn.WriteJSON(hello); err != nil {
		p.t.Fatal(err)
	}
	for {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, text, err := conn.ReadMessage()
		if err != nil {
			p.t.Fatalf("the capture broke off: %v", err)
		}
		var said struct {
			Cue *biometrics.Cue
			ending
		}
		if err := json.Unmarshal(text, &said); err != nil {
			p.t.Fatalf("%s: %v", text, err)
		}
		if said.Cue == nil {
			return said.ending
		}
		p.site.Clock.Advance(biometricstest.FrameTime * time.Millisecond)
		if err := conn.WriteMessage(websocket.BinaryMessage, cam(*said.Cue)); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *person) openCamera(issued *answer) *websocket.Conn {
	p.t.Helper()
	header := http.Header{}
	if p.token == "" {
		header.Set("Origin", origin)
	}
	conn, response, err := p.dialPath(p.site.live(), issued.text("capture"), header)
	if err != nil {
		p.t.Fatalf("%v: %+v", err, response)
	}
	return conn
}

// askEnrol asks for an enrolment challenge.
func (p *person) askEnrol(more map[string]any) *answer {
	p.t.Helper()
	body := map[string]any{}
	if more["consent_version"] == nil {
		body["consent_version"] = p.consentVersion()
	}
	for key, value := range more {
		body[key] = value
	}
	return p.post("/v1/me/face/challenge", body)
}

func (b *browser) consentVersion() string {
	b.t.Helper()
	state := b.get("/v1/me/face").want(200)
	return state.Body["consent"].(map[string]any)["version"].(string)
}

// enrolFace enrols whoever is before the camera.
func (p *person) enrolFace(cam camera) *answer {
	p.t.Helper()
	issued := p.askEnrol(nil).want(201)
	p.before(issued, cam, nil)
	return p.post("/v1/me/face", map[string]any{"challenge": issued.text("id")})
}

// showFace shows whoever is before the camera.
func (p *person) showFace(cam camera) *answer {
	p.t.Helper()
	issued := p.post("/v1/verify/face/challenge", map[string]any{}).want(201)
	p.before(issued, cam, nil)
	return p.post("/v1/verify/face", map[string]any{"challenge": issued.text("id")})
}

// someone is a living person before a camera.
func someone(who int) camera { return player(biometricstest.Genuine(who, 20)) }

// withFace is a person who has an authenticator app and enrolled a face.
func (s *site) withFace(name string, who int) *person {
	s.t.Helper()
	p := s.withTOTP(name)
	p.enrolFace(player(biometricstest.Genuine(who, 0))).want(201)
	return p
}
