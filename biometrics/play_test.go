package biometrics_test

import (
	"crypto/rand"
	"image"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

// play runs a whole capture of a scripted player before 68 landmarks.
func play(t *testing.T, mode biometrics.Mode, p *biometricstest.Player) biometrics.Evidence {
	t.Helper()
	return playScript(t, draw(t, mode, 68), p, sight)
}

func draw(t *testing.T, mode biometrics.Mode, landmarks int) biometrics.Script {
	t.Helper()
	script, err := biometrics.NewScript(mode, landmarks, true, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func playScript(t *testing.T, script biometrics.Script, p *biometricstest.Player, see func(*testing.T, []byte) biometrics.Sight) biometrics.Evidence {
	t.Helper()
	capture := biometrics.NewCapture(script, biometrics.DefaultRules())
	cue := capture.Begin()
	for at := time.Duration(0); !cue.Done; at += tick {
		cue = capture.Add(at, see(t, p.Frame(cue)))
	}
	return capture.Finish()
}

// sightOfFive is sight with the landmarks of dlib's smaller predictor.
func sightOfFive(t *testing.T, picture []byte) biometrics.Sight {
	t.Helper()
	frame := biometricstest.Open(t, picture)
	seen, err := biometricstest.Read([]biometrics.Frame{frame})
	if err != nil {
		t.Fatal(err)
	}
	for i := range seen[0].Faces {
		l := seen[0].Faces[i].Landmarks
		seen[0].Faces[i].Landmarks = []image.Point{l[45], l[42], l[36], l[39], l[33]}
	}
	return biometrics.See(frame, seen[0], biometrics.DefaultRules())
}

func TestFiveLandmarks(t *testing.T) {
	t.Parallel()
	rules := biometrics.DefaultRules()
	for i := range 3 {
		e := playScript(t, draw(t, biometrics.ModeActiveFlash, 5), biometricstest.Genuine(7, 20*i), sightOfFive)
		if e.Refused != nil || !e.Completed || e.IsAttack(biometrics.ModeActiveFlash, rules) {
			t.Errorf("genuine: %+v", e)
		}
	}
	e := playScript(t, draw(t, biometrics.ModeActive, 5), biometricstest.Still(7, 1), sightOfFive)
	if !e.IsAttack(biometrics.ModeActive, rules) {
		t.Errorf("a still picture: %+v", e)
	}
}

func TestPlayers(t *testing.T) {
	t.Parallel()
	rules := biometrics.DefaultRules()
	for _, mode := range []biometrics.Mode{biometrics.ModeOff, biometrics.ModePassive, biometrics.ModeActive, biometrics.ModeActiveFlash} {
		e := play(t, mode, biometricstest.Genuine(7, 5))
		if e.Refused != nil || !e.Completed || len(e.Straight) < 3 || e.IsAttack(mode, rules) {
			t.Errorf("genuine in %s: %+v", mode, e)
		}
		if !biometrics.SamePerson(e.Straight, 0.3) || biometrics.Distance(e.Straight[0], biometricstest.Descriptor(7, 0)) > 0.3 {
			t.Errorf("genuine in %s: straight frames of somebody else", mode)
		}
		if !mode.Active() {
			continue
		}
		for name, p := range map[string]*biometricstest.Player{"still": biometricstest.Still(7, 5), "wrong script": biometricstest.WrongScript(7, 5)} {
			e := play(t, mode, p)
			if e.Refused != nil || !e.IsAttack(mode, rules) {
				t.Errorf("%s in %s: %+v", name, mode, e)
			}
		}
	}
}
