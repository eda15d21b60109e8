//go:build dlib

package dlib

import (
	"image"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/biometrics/synth"
	"github.com/sallyport/sallyport/biometrics/worker"
)

// stage is where actors perform: before the gate and the real engine. With five
// landmarks it keeps, of the 68 that the engine gives, those that dlib's smaller
// predictor has.
type stage struct {
	t         testing.TB
	pool      *worker.Pool
	rules     biometrics.Rules
	landmarks int
}

// performance is one capture.
type performance struct {
	script   biometrics.Script
	evidence biometrics.Evidence
	takes    []synth.Take
	sights   []biometrics.Sight // of each take
}

// perform plays a script, about five frames a second, some of them lost on the way.
func (s stage) perform(script biometrics.Script, a synth.Actor, r *rand.Rand) performance {
	p := performance{script: script}
	capture := biometrics.NewCapture(script, s.rules)
	cue := capture.Begin()
	for at := time.Duration(0); !cue.Done; {
		at += time.Duration(170+r.IntN(60)) * time.Millisecond
		if r.IntN(30) == 0 {
			at += 200 * time.Millisecond
		}
		upload := a.Frame(cue, at)
		sight := s.sight(upload)
		p.takes = append(p.takes, synth.Take{At: at, Prompt: cue.Prompt, Upload: upload})
		p.sights = append(p.sights, sight)
		cue = capture.Add(at, sight)
	}
	p.evidence = capture.Finish()
	return p
}

func (s stage) sight(upload []byte) biometrics.Sight {
	frame, err := testGate().Open(s.t.Context(), upload)
	if err != nil {
		s.t.Error(err)
		return biometrics.Sight{}
	}
	seen, err := s.pool.Analyze(s.t.Context(), []biometrics.Frame{frame})
	if err != nil {
		s.t.Error(err)
		return biometrics.Sight{}
	}
	if s.landmarks == 5 {
		for i := range seen[0].Faces {
			l := seen[0].Faces[i].Landmarks
			seen[0].Faces[i].Landmarks = []image.Point{l[45], l[42], l[36], l[39], l[33]}
		}
	}
	return biometrics.See(frame, seen[0], s.rules)
}

// draw draws a script from a source that tests can repeat.
func (s stage) draw(mode biometrics.Mode, landmarks int, r *rand.Rand) biometrics.Script {
	var seed [32]byte
	for i := range seed {
		seed[i] = byte(r.Uint32())
	}
	script, err := biometrics.NewScript(mode, landmarks, true, rand.NewChaCha8(seed))
	if err != nil {
		s.t.Fatal(err)
	}
	return script
}

// judge is the verdict on the same frames under another script, which nobody
// followed.
func (p performance) judge(script biometrics.Script, rules biometrics.Rules) biometrics.Evidence {
	capture := biometrics.NewCapture(script, rules)
	for i, sight := range p.sights {
		if capture.Add(p.takes[i].At, sight).Done {
			break
		}
	}
	return capture.Finish()
}

// everyPose is a script for recordings: each pose once, with a look ahead between.
func everyPose(landmarks int) biometrics.Script {
	script := biometrics.Script{Mode: biometrics.ModeActive}
	prompts := []biometrics.Prompt{"straight", "left", "straight", "right", "straight", "blink", "straight", "mouth", "straight"}
	if landmarks == 5 {
		prompts = prompts[:5]
	}
	for _, p := range prompts {
		script.Steps = append(script.Steps, biometrics.Step{Prompt: p, Hold: time.Second})
	}
	return script
}

// subject is a photo that can be warped. Photos of one person have one name.
type subject struct {
	file, name string
	photo      *synth.Photo
}

// subjects are the photos of one face that looks straight, at most n of them but two
// at least, for one is played against another, or all for n below 0, and that the quality rules admit: a camera would have exposed the others otherwise.
func subjects(t testing.TB, n int) (out []subject) {
	t.Helper()
	if n >= 0 {
		n = max(n, 2)
	}
	refused := 0
	defer func() { t.Logf("%d photos, %d more refused by the quality rules", len(out), refused) }()
	for _, pattern := range []string{
		filepath.Join(facetest.Dir(t), "faces", "*-*.jpg"),
		filepath.Join(facetest.Samples(t), "*-face*.jpg"),
	} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if len(out) == n {
				return out
			}
			frame := openFrame(t, path)
			faces, err := testEngine(t).Look(frame.Pixels())
			if err != nil {
				t.Fatal(err)
			}
			if len(faces) != 1 {
				continue
			}
			if s := biometrics.See(frame, biometrics.Observation{Faces: faces}, biometrics.DefaultRules()); s.Problem != nil {
				refused++
				continue
			}
			photo, err := synth.NewPhoto(frame.Pixels(), faces[0].Landmarks)
			if err != nil {
				continue // too small, or not straight
			}
			file := filepath.Base(path)
			name, rest, _ := strings.Cut(file, "-")
			if strings.HasPrefix(rest, "face") { // of a group photo: each is somebody else
				name = file
			}
			out = append(out, subject{file, name, photo})
		}
	}
	return out
}

// other is somebody else than the i-th.
func other(people []subject, i int) subject {
	for j := 1; j < len(people); j++ {
		if p := people[(i+j)%len(people)]; p.name != people[i].name {
			return p
		}
	}
	return people[i]
}
