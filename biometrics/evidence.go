package biometrics

import (
	"math"
	"slices"
	"time"
)

// Evidence is what a capture came to: descriptors to compare, and what speaks
// against its being a live person.
type Evidence struct {
	// Completed says that the script was followed to its end in time.
	Completed bool
	// Straight are the descriptors of the best three to five straight frames, in
	// order of time; fewer only if there were fewer, none if Refused is set.
	Straight []Descriptor
	// Turned is the best frame of each side that was asked for.
	Turned []Turned
	// Attack speaks against a live person in front of the camera.
	Attack Attack
	// Counts are for the audit: they tell nothing of whose face it was.
	Counts Counts
	// Refused is set when there was nothing to judge or compare: nobody, several
	// people, too dark. It is the person's to mend and says nothing of who they are.
	Refused *CaptureError
}

// Turned is a descriptor with the pose that it was taken in.
type Turned struct {
	Prompt     Prompt
	Descriptor Descriptor
}

// Counts are the figures of a capture.
type Counts struct {
	Frames   int           `json:"frames"`
	Faces    int           `json:"faces"`    // frames with exactly one
	Usable   int           `json:"usable"`   // of those, frames without a problem
	Straight int           `json:"straight"` // of those, in the pose asked for by a straight look
	Steps    int           `json:"steps"`    // steps fulfilled
	Took     time.Duration `json:"took"`     // nanoseconds
}

// IsAttack is the verdict: the score is above the threshold or, in an active mode,
// the script was not followed to its end. It is false where Refused is set, since
// then nothing was judged.
func (e Evidence) IsAttack(mode Mode, rules Rules) bool {
	return e.Refused == nil && (e.Attack.Score > rules.AttackThreshold || mode.Active() && !e.Completed)
}

// Agree is nil if the straight frames show one person, else a [CaptureError]: a
// set that disagrees must not become templates.
func (e Evidence) Agree() error {
	if SamePerson(e.Straight, ConsistencyLimit) {
		return nil
	}
	return &CaptureError{Code: CodeQuality, Reason: ReasonDifferentPeople}
}

// bestStraight is how many straight frames are kept, if there are as many.
const bestStraight = 5

// Finish judges the capture.
func (c *Capture) Finish() Evidence {
	e := Evidence{Completed: c.completed}
	e.Counts = Counts{Frames: len(c.seen), Steps: c.step, Took: c.lastTime()}
	var straight, usable []glimpse
	for _, g := range c.seen {
		if g.one {
			e.Counts.Faces++
		}
		if g.Problem != nil {
			continue
		}
		usable = append(usable, g)
		if g.fits && c.script.Steps[g.step].Prompt == PromptStraight {
			straight = append(straight, g)
		}
	}
	e.Counts.Usable, e.Counts.Straight = len(usable), len(straight)
	if c.step == 0 || len(straight) == 0 {
		e.Refused = c.refusal()
		return e
	}
	e.Straight = descriptors(best(straight))
	for _, p := range []Prompt{PromptLeft, PromptRight} {
		if g, ok := c.bestTurned(p); ok {
			e.Turned = append(e.Turned, Turned{p, g.descriptor})
		}
	}
	e.Attack = c.attack()
	return e
}

// refusal names what was wrong most often; a face that never looked straight is
// face_pose.
func (c *Capture) refusal() *CaptureError {
	counts := make(map[CaptureError]int)
	most := CaptureError{Code: CodeNoFace}
	for _, g := range c.seen {
		problem := CaptureError{Code: CodePose}
		if g.Problem != nil {
			problem = *g.Problem
		}
		counts[problem]++
		if counts[problem] > counts[most] {
			most = problem
		}
	}
	return &most
}

// best picks the frames that look best and returns them in order of time.
func best(straight []glimpse) []glimpse {
	picked := slices.Clone(straight)
	slices.SortStableFunc(picked, func(a, b glimpse) int {
		switch qa, qb := a.merit(), b.merit(); {
		case qa > qb:
			return -1
		case qa < qb:
			return 1
		}
		return 0
	})
	picked = picked[:min(len(picked), bestStraight)]
	slices.SortStableFunc(picked, func(a, b glimpse) int { return int(a.at - b.at) })
	return picked
}

// merit is how well a straight frame will compare: sharp, large, well lit and
// straight. Beyond a point more of each gains nothing.
func (g glimpse) merit() float64 {
	q := g.Quality
	sharp := min(q.Sharpness/80, 1)
	large := min(float64(q.FacePixels)/150, 1)
	lit := 1 - min(math.Abs(q.Luma-125)/125, 1)
	return sharp + large + lit + min(q.Contrast/50, 1) - 2*math.Abs(g.features.pose.Yaw) - 0.5*math.Abs(g.features.pose.Roll)
}

// bestTurned is the sharpest frame in which a turn was held.
func (c *Capture) bestTurned(p Prompt) (picked glimpse, ok bool) {
	for _, g := range c.seen {
		if g.fits && c.script.Steps[g.step].Prompt == p && (!ok || g.Quality.Sharpness > picked.Quality.Sharpness) {
			picked, ok = g, true
		}
	}
	return picked, ok
}

func descriptors(frames []glimpse) []Descriptor {
	out := make([]Descriptor, len(frames))
	for i, g := range frames {
		out[i] = g.descriptor
	}
	return out
}
