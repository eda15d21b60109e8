package biometrics

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// puppet is a person of few figures, for captures by the thousand: it does what it
// is asked with a reaction and a speed of its own, and every frame differs.
type puppet struct {
	r        *rand.Rand
	reaction time.Duration
	speed    float64 // yaw a second
	turn     float64

	prompt Prompt
	step   int
	since  time.Duration
	yaw    float64
	open   float64
	frame  uint64
}

func newPuppet(r *rand.Rand) *puppet {
	return &puppet{
		r: r, step: -1,
		reaction: time.Duration(250+r.IntN(650)) * time.Millisecond,
		speed:    0.7 + 1.2*r.Float64(),
		turn:     0.4 + 0.3*r.Float64(),
	}
}

func (p *puppet) sight(cue Cue, at time.Duration) Sight {
	if cue.Step != p.step {
		p.step, p.prompt, p.since = cue.Step, cue.Prompt, at
	}
	yaw, open, eyes := 0.0, 0.0, 0.3
	if at-p.since >= p.reaction {
		switch p.prompt {
		case PromptLeft:
			yaw = p.turn
		case PromptRight:
			yaw = -p.turn
		case PromptMouth:
			open = 0.4
		case PromptBlink:
			eyes = 0.12
		default:
		}
	} else {
		yaw, open = p.yaw, p.open // as before
	}
	p.yaw += math.Copysign(min(math.Abs(yaw-p.yaw), 0.2*p.speed), yaw-p.yaw)
	p.open = open
	p.frame++
	s := Sight{one: true, landmarks: make([]image.Point, 68)}
	for i := range 8 {
		s.frame[i] = byte(p.frame >> (8 * i))
	}
	s.look[0] = p.r.Uint64()
	noise := func(sd float64) float64 { return sd * p.r.NormFloat64() }
	y := p.yaw + noise(0.02)
	s.features = features{
		pose: Pose{Yaw: y}, size: 50 + noise(0.5), place: point{240 + 40*p.yaw + noise(1), 160 + noise(1)},
		width: 0.9 / math.Sqrt(1+y*y/0.81), relief: 0.4*y + noise(0.01), eyes: eyes + noise(0.015), mouth: 0.02 + p.open + noise(0.01),
	}
	s.descriptor[0] = 0.6
	s.colour = [3]float64{150, 120, 100}
	return s
}

// impostor is how a recording of one script fares under another: the person in it
// obeys theirs, and begins anew when it is at its end.
func impostor(theirs, ours Script, r *rand.Rand) Evidence {
	rules := DefaultRules()
	p := newPuppet(r)
	judge, recorded := NewCapture(ours, rules), NewCapture(theirs, rules)
	cue, own := judge.Begin(), recorded.Begin()
	began := time.Duration(0)
	for at := 200 * time.Millisecond; !cue.Done; at += 200 * time.Millisecond {
		s := p.sight(own, at)
		cue = judge.Add(at, s)
		own = recorded.Add(at-began, s)
		if own.Done {
			recorded, began = NewCapture(theirs, rules), at
			own = recorded.Begin()
			p.step = -1
		}
	}
	return judge.Finish()
}

// TestChanceOfARecording measures how many random bits a script is worth against a
// recording of another, which is less than the number of its orders says: time is
// given for people, and a recording may come upon the pose within it.
func TestChanceOfARecording(t *testing.T) {
	t.Parallel()
	const n = 1000
	for landmarks, most := range map[int]float64{68: 0.05, 5: 0.17} {
		r := rand.New(rand.NewPCG(uint64(landmarks), 5))
		draw := func() Script {
			var seed [32]byte
			for i := range seed {
				seed[i] = byte(r.Uint32())
			}
			script, err := NewScript(ModeActive, landmarks, false, rand.NewChaCha8(seed))
			if err != nil {
				t.Fatal(err)
			}
			return script
		}
		passed, followed, refused := 0, 0, 0
		var took []float64
		for range n {
			e := impostor(draw(), draw(), r)
			if e.Completed {
				followed++
			}
			if e.Refused == nil && !e.IsAttack(ModeActive, DefaultRules()) {
				passed++
			}
			script := draw()
			e = impostor(script, script, r)
			took = append(took, e.Counts.Took.Seconds())
			if e.IsAttack(ModeActive, DefaultRules()) {
				refused++
			}
		}
		share := float64(passed) / n
		t.Logf("%d landmarks: of %d recordings of other scripts %d were followed to the end and %d passed, %.2f %%: %.1f bits; %d of %d people were refused, who took %.1f s (median)",
			landmarks, n, followed, passed, 100*share, -math.Log2(share), refused, n, median(took))
		if refused > n/50 {
			t.Errorf("%d landmarks: %d of %d people were refused", landmarks, refused, n)
		}
		if share > most {
			t.Errorf("%d landmarks: %.2f %% of recordings pass, at most %.2f %% are borne", landmarks, 100*share, 100*most)
		}
	}
}
