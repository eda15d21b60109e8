package biometrics_test

import (
	"image"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

const tick = biometricstest.FrameTime * time.Millisecond

// sight is what See makes of a drawn picture.
func sight(t *testing.T, picture []byte) biometrics.Sight {
	t.Helper()
	frame := biometricstest.Open(t, picture)
	seen, err := biometricstest.Read([]biometrics.Frame{frame})
	if err != nil {
		t.Fatal(err)
	}
	return biometrics.See(frame, seen[0], biometrics.DefaultRules())
}

func scriptOf(mode biometrics.Mode, prompts ...biometrics.Prompt) biometrics.Script {
	script := biometrics.Script{Mode: mode}
	for _, p := range prompts {
		script.Steps = append(script.Steps, biometrics.Step{Prompt: p, Hold: 600 * time.Millisecond})
	}
	return script
}

func TestSee(t *testing.T) {
	t.Parallel()
	if s := sight(t, biometricstest.Draw(1, 7)); s.Problem != nil || s.Quality.FacePixels < 100 {
		t.Errorf("one face: %v, %+v", s.Problem, s.Quality)
	}
	for want, people := range map[biometrics.CaptureCode][]int{biometrics.CodeNoFace: nil, biometrics.CodeManyFaces: {1, 2}} {
		if s := sight(t, biometricstest.Draw(1, people...)); s.Problem == nil || s.Problem.Code != want {
			t.Errorf("%d faces: %v, want %s", len(people), s.Problem, want)
		}
	}
	// What an engine says is not trusted to be sane.
	frame := biometricstest.Frame(t, 1, 7)
	seen, err := biometricstest.Read([]biometrics.Frame{frame})
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(f *biometrics.Face){
		"no landmarks":    func(f *biometrics.Face) { f.Landmarks = nil },
		"all in a point":  func(f *biometrics.Face) { f.Landmarks = make([]image.Point, 68) },
		"upside down":     func(f *biometrics.Face) { f.Landmarks[36], f.Landmarks[45] = f.Landmarks[45], f.Landmarks[36] },
		"an empty box":    func(f *biometrics.Face) { f.Box = image.Rectangle{} },
		"a box elsewhere": func(f *biometrics.Face) { f.Box = f.Box.Add(image.Pt(1<<20, 1<<20)) },
		"a huge box":      func(f *biometrics.Face) { f.Box = image.Rect(-1<<20, -1<<20, 1<<20, 1<<20) },
	} {
		f := seen[0].Faces[0]
		f.Landmarks = append([]image.Point(nil), f.Landmarks...)
		spoil(&f)
		s := biometrics.See(frame, biometrics.Observation{Faces: []biometrics.Face{f}}, biometrics.DefaultRules())
		if s.Problem == nil {
			t.Errorf("%s: no problem", name)
		}
	}
	if s := biometrics.See(biometrics.Frame{}, seen[0], biometrics.DefaultRules()); s.Problem == nil {
		t.Error("a frame that no gate made: no problem")
	}
}

func TestFrameWipe(t *testing.T) {
	t.Parallel()
	frame := biometricstest.Frame(t, 1, 7)
	kept := frame.Pixels()
	frame.Wipe()
	for name, plane := range map[string][]byte{"Y": kept.Y, "Cb": kept.Cb, "Cr": kept.Cr} {
		for i, v := range plane {
			if v != 0 {
				t.Fatalf("byte %d of %s is still there", i, name)
			}
		}
	}
	biometrics.Frame{}.Wipe()
}

// TestHintsWhileCapturing asks for a turn to the left and shows what is not that.
func TestHintsWhileCapturing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		picture []byte
		want    biometrics.Hint
	}{
		"straight":       {biometricstest.DrawPose(9, "straight", 7), biometrics.HintTurnMore},
		"the other side": {biometricstest.DrawPose(9, "right", 7), biometrics.HintOtherSide},
		"left":           {biometricstest.DrawPose(9, "left", 7), biometrics.HintNone},
		"out of sight":   {biometricstest.Draw(9), biometrics.HintTurnLess},
		"two people":     {biometricstest.Draw(9, 7, 8), biometrics.HintOnlyOne},
	} {
		c := biometrics.NewCapture(scriptOf(biometrics.ModeActive, "straight", "left", "straight"), biometrics.DefaultRules())
		cue := c.Begin()
		at := time.Duration(0)
		for shot := 1; cue.Step == 0; shot++ {
			at += tick
			cue = c.Add(at, sight(t, biometricstest.DrawPose(shot, "straight", 7)))
		}
		if cue.Prompt != biometrics.PromptLeft || cue.Steps != 3 || cue.Done {
			t.Fatalf("after looking straight: %+v", cue)
		}
		if got := c.Add(at+800*time.Millisecond, sight(t, biometricstest.DrawPose(8, "straight", 7))); got.Hint != biometrics.HintNone {
			t.Errorf("before anybody could react: hint %q", got.Hint)
		}
		if got := c.Add(at+1300*time.Millisecond, sight(t, test.picture)); got.Hint != test.want || got.Step != 1 {
			t.Errorf("%s: %+v, want the hint %q", name, got, test.want)
		}
	}
}

// TestCoveredFace: a face that was there and is not found any more is covered, one
// that never was is not there.
func TestCoveredFace(t *testing.T) {
	t.Parallel()
	c := biometrics.NewCapture(scriptOf(biometrics.ModePassive, "straight"), biometrics.DefaultRules())
	nobody, somebody := sight(t, biometricstest.Draw(1)), sight(t, biometricstest.Draw(1, 7))
	for i, step := range []struct {
		sight biometrics.Sight
		want  biometrics.Hint
	}{{nobody, biometrics.HintNoFace}, {somebody, biometrics.HintNone}, {nobody, biometrics.HintUncover}} {
		if got := c.Add(time.Duration(i+1)*tick, step.sight); got.Hint != step.want {
			t.Errorf("frame %d: hint %q, want %q", i, got.Hint, step.want)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		picture []byte
		want    biometrics.CaptureCode
	}{
		"nobody":       {biometricstest.Draw(1), biometrics.CodeNoFace},
		"two people":   {biometricstest.Draw(1, 7, 8), biometrics.CodeManyFaces},
		"always aside": {biometricstest.DrawPose(1, "left", 7), biometrics.CodePose},
	} {
		c := biometrics.NewCapture(scriptOf(biometrics.ModeActive, "straight", "left"), biometrics.DefaultRules())
		s := sight(t, test.picture)
		cue := c.Begin()
		for at := tick; !cue.Done; at += tick {
			cue = c.Add(at, s)
		}
		e := c.Finish()
		if e.Refused == nil || e.Refused.Code != test.want || e.Completed || len(e.Straight) > 0 || e.IsAttack(biometrics.ModeActive, biometrics.DefaultRules()) {
			t.Errorf("%s: %+v, want %s and nothing judged", name, e, test.want)
		}
	}
}

// TestNothingShown: a capture that ends before any frame, and a script without
// steps, are refused and not judged.
func TestNothingShown(t *testing.T) {
	t.Parallel()
	for _, script := range []biometrics.Script{{}, scriptOf(biometrics.ModeActive, "straight")} {
		e := biometrics.NewCapture(script, biometrics.DefaultRules()).Finish()
		if e.Refused == nil || e.Completed {
			t.Errorf("%+v", e)
		}
	}
	c := biometrics.NewCapture(biometrics.Script{}, biometrics.Rules{})
	if cue := c.Add(tick, biometrics.Sight{}); !cue.Done {
		t.Errorf("a script without steps goes on: %+v", cue)
	}
}

// TestClockGoesBack: frames whose times fall are taken as simultaneous, so that no
// hold is reached by them.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	c := biometrics.NewCapture(scriptOf(biometrics.ModePassive, "straight"), biometrics.DefaultRules())
	s := sight(t, biometricstest.Draw(1, 7))
	for i := range 20 {
		if cue := c.Add(time.Second-time.Duration(i)*tick, s); cue.Done {
			t.Fatalf("done at frame %d", i)
		}
	}
}

// TestStraightFramesAreTheBest: frames with a problem and those of other prompts
// never become templates.
func TestStraightFramesAreTheBest(t *testing.T) {
	t.Parallel()
	e := play(t, biometrics.ModeActive, biometricstest.Genuine(7, 3))
	if len(e.Straight) < 3 || len(e.Straight) > 5 {
		t.Errorf("%d straight frames, want 3 to 5", len(e.Straight))
	}
	if len(e.Turned) == 0 || len(e.Turned) > 2 {
		t.Errorf("%d turned frames, want 1 or 2", len(e.Turned))
	}
	for _, d := range e.Turned {
		if !d.Prompt.Turn() {
			t.Errorf("a turned frame of prompt %q", d.Prompt)
		}
	}
}

func TestAgree(t *testing.T) {
	t.Parallel()
	shots := func(person int) (ds []biometrics.Descriptor) {
		for shot := range 3 {
			ds = append(ds, biometricstest.Descriptor(person, shot))
		}
		return ds
	}
	one := biometrics.Evidence{Straight: shots(7)}
	two := biometrics.Evidence{Straight: append(shots(7), shots(8)...)}
	for name, test := range map[string]struct {
		e     biometrics.Evidence
		agree bool
	}{
		"one person":         {one, true},
		"two people in turn": {two, false},
		"nobody":             {biometrics.Evidence{}, false},
	} {
		err := test.e.Agree()
		refused, _ := err.(*biometrics.CaptureError)
		if (err == nil) != test.agree || err != nil && (refused == nil || refused.Reason != biometrics.ReasonDifferentPeople) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
