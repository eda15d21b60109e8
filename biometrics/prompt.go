package biometrics

// Prompt is what a person is asked to do. Left and right are the person's own.
type Prompt string

// The prompts. Blink and mouth are for 68 landmarks; five don't show them.
const (
	PromptStraight Prompt = "straight" // look into the camera; these frames become templates and probes
	PromptLeft     Prompt = "left"     // turn the head to your left
	PromptRight    Prompt = "right"    // turn the head to your right
	PromptBlink    Prompt = "blink"    // close both eyes for a moment
	PromptMouth    Prompt = "mouth"    // open the mouth
)

// Turn reports whether the prompt asks to turn the head.
func (p Prompt) Turn() bool { return p == PromptLeft || p == PromptRight }

// Hint is what would help the person now. Hints are stable names; empty is none.
type Hint string

// The hints of a [Cue].
const (
	HintNone       Hint = ""
	HintNoFace     Hint = "no_face"
	HintOnlyOne    Hint = "only_one" // several faces
	HintUncover    Hint = "uncover"  // there was a face; something hides it now
	HintCenter     Hint = "center"
	HintComeCloser Hint = "come_closer"
	HintMoveBack   Hint = "move_back"
	HintMoreLight  Hint = "more_light"
	HintLessLight  Hint = "less_light"
	HintHoldStill  Hint = "hold_still" // keep what you do, and still
	HintTurnMore   Hint = "turn_more"
	HintTurnLess   Hint = "turn_less"
	HintOtherSide  Hint = "other_side" // turned to the wrong side
	HintStraight   Hint = "straight"   // turned where straight is asked
)

// hintOf is what to say about a frame that can't be used.
func hintOf(e *CaptureError) Hint {
	switch e.Code {
	case CodeNoFace:
		return HintNoFace
	case CodeManyFaces:
		return HintOnlyOne
	default:
	}
	switch e.Reason {
	case ReasonSmall:
		return HintComeCloser
	case ReasonLarge:
		return HintMoveBack
	case ReasonOutside:
		return HintCenter
	case ReasonDark, ReasonFlat:
		return HintMoreLight
	case ReasonBright:
		return HintLessLight
	default:
		return HintHoldStill
	}
}

// Cue is what a client is told after each frame.
type Cue struct {
	Prompt Prompt `json:"prompt"`
	Step   int    `json:"step"` // of Steps, from 0; Steps when done
	Steps  int    `json:"steps"`
	Hint   Hint   `json:"hint,omitempty"`
	// Color is what the screen shows now, as "#rrggbb"; empty for its usual look.
	Color string `json:"color,omitempty"`
	// Done says that no more frames are wanted. It doesn't tell how it went.
	Done bool `json:"done"`
}
