package biometrics

import (
	"image"
	"math"
	"testing"
)

// face is a cut-out in which patches of size pixels alternate between two levels.
func face(low, high uint8, size int) (cut [faceSide * faceSide]uint8) {
	for y := range faceSide {
		for x := range faceSide {
			cut[y*faceSide+x] = low
			if (x/size+y/size)%2 == 0 {
				cut[y*faceSide+x] = high
			}
		}
	}
	return cut
}

func TestQualityFigures(t *testing.T) {
	t.Parallel()
	var q Quality
	cut := face(80, 160, 8)
	q.assess(&cut)
	if math.Abs(q.Luma-120) > 1e-9 || math.Abs(q.Contrast-40) > 1e-9 {
		t.Errorf("luma %v and contrast %v, want 120 and 40", q.Luma, q.Contrast)
	}
	sharp := q.Sharpness
	// A face out of focus: the same patches with a slope between them.
	for y := range faceSide {
		for x := range faceSide {
			cut[y*faceSide+x] = uint8(120 + 40*math.Sin(float64(x)*math.Pi/16)*math.Sin(float64(y)*math.Pi/16))
		}
	}
	q.assess(&cut)
	if q.Sharpness > sharp/20 {
		t.Errorf("a blurred face has sharpness %.1f, a sharp one %.1f", q.Sharpness, sharp)
	}
}

func TestQualityProblems(t *testing.T) {
	t.Parallel()
	good := Quality{FacePixels: 150, Sharpness: 60, Luma: 120, Contrast: 45}
	box, frame := image.Rect(200, 100, 350, 250), image.Pt(640, 480)
	with := func(change func(*Quality)) Quality {
		q := good
		change(&q)
		return q
	}
	for want, test := range map[CaptureReason]struct {
		q   Quality
		box image.Rectangle
	}{
		"":            {good, box},
		ReasonSmall:   {with(func(q *Quality) { q.FacePixels = 99 }), box},
		ReasonLarge:   {good, image.Rect(100, 10, 560, 470)},
		ReasonOutside: {good, box.Add(image.Pt(-250, 0))},
		ReasonDark:    {with(func(q *Quality) { q.Luma = 59 }), box},
		ReasonBright:  {with(func(q *Quality) { q.Luma = 191 }), box},
		ReasonFlat:    {with(func(q *Quality) { q.Contrast = 24 }), box},
		ReasonBlurred: {with(func(q *Quality) { q.Sharpness = 19 }), box},
	} {
		if got := test.q.problem(DefaultRules(), test.box, frame); got != want {
			t.Errorf("%+v at %v: %q, want %q", test.q, test.box, got, want)
		}
	}
}

func TestRulesCheck(t *testing.T) {
	t.Parallel()
	if err := DefaultRules().Check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Rules){
		"none at all":        func(r *Rules) { *r = Rules{} },
		"not a number":       func(r *Rules) { r.Sharpness = math.NaN() },
		"darkest above":      func(r *Rules) { r.LumaMin = r.LumaMax + 1 },
		"turned is straight": func(r *Rules) { r.TurnedYaw = r.StraightYaw - 0.01 },
		"flicker":            func(r *Rules) { r.Colour = 200e6 },
		"threshold":          func(r *Rules) { r.AttackThreshold = 1.5 },
	} {
		r := DefaultRules()
		change(&r)
		if r.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestHints: every problem of a frame has something to say to the person.
func TestHints(t *testing.T) {
	t.Parallel()
	for want, e := range map[Hint]CaptureError{
		HintNoFace:     {Code: CodeNoFace},
		HintOnlyOne:    {Code: CodeManyFaces},
		HintComeCloser: {Code: CodeQuality, Reason: ReasonSmall},
		HintMoveBack:   {Code: CodeQuality, Reason: ReasonLarge},
		HintCenter:     {Code: CodeQuality, Reason: ReasonOutside},
		HintMoreLight:  {Code: CodeQuality, Reason: ReasonDark},
		HintLessLight:  {Code: CodeQuality, Reason: ReasonBright},
		HintHoldStill:  {Code: CodeQuality, Reason: ReasonBlurred},
	} {
		if got := hintOf(&e); got != want {
			t.Errorf("%v: hint %q, want %q", &e, got, want)
		}
	}
}
