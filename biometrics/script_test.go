package biometrics

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	for landmarks, want := range map[int]int{68: 240, 5: 16} {
		orders := Orders(landmarks)
		if len(orders) != want {
			t.Errorf("%d landmarks: %d orders, want %d", landmarks, len(orders), want)
		}
		t.Logf("%d landmarks: %d orders, %.1f bits; a recording of another script has the same order once in %d",
			landmarks, len(orders), math.Log2(float64(len(orders))), len(orders))
		seen := make(map[string]bool)
		for _, order := range orders {
			name, before := "", PromptStraight
			for _, p := range order {
				if p == before {
					t.Errorf("%v has a prompt twice in a row", order)
				}
				if landmarks == 5 && (p == PromptBlink || p == PromptMouth) {
					t.Errorf("%v can't be judged by five landmarks", order)
				}
				name, before = name+string(p), p
			}
			if !slices.ContainsFunc(order, Prompt.Turn) {
				t.Errorf("%v has no turn", order)
			}
			if seen[name] {
				t.Errorf("%v is there twice", order)
			}
			seen[name] = true
		}
	}
}

func TestNewScript(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{ModeOff, ModePassive, ModeActive, ModeActiveFlash} {
		for range 200 {
			script, err := NewScript(mode, 68, true, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			first, last := script.Steps[0], script.Steps[len(script.Steps)-1]
			if first.Prompt != PromptStraight || first.Hold < calmHold || last.Prompt != PromptStraight || last.Hold < calmHold {
				t.Errorf("%s: %v does not begin and end with a calm look ahead", mode, script.Steps)
			}
			if turns := slices.ContainsFunc(script.Steps, func(s Step) bool { return s.Prompt.Turn() }); turns != mode.Active() {
				t.Errorf("%s: %v", mode, script.Steps)
			}
			if (len(script.Colours) > 0) != (mode == ModeActiveFlash) {
				t.Errorf("%s has the colours %v", mode, script.Colours)
			}
			for i, c := range script.Colours {
				if i > 0 && c == script.Colours[i-1] {
					t.Errorf("%v has a colour twice in a row", script.Colours)
				}
			}
			data, err := json.Marshal(script)
			if err != nil {
				t.Fatal(err)
			}
			var back Script
			if err := json.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(script, back); diff != "" {
				t.Error(diff)
			}
		}
	}
	if script, err := NewScript(ModeActiveFlash, 68, false, rand.Reader); err != nil || script.Colours != nil {
		t.Errorf("for somebody who asked for no flicker: %v, %v", script.Colours, err)
	}
}

// TestScriptsAreSpread: each first prompt comes about as often as any other.
func TestScriptsAreSpread(t *testing.T) {
	t.Parallel()
	const n = 4000
	first := make(map[Prompt]int)
	for range n {
		script, err := NewScript(ModeActive, 5, false, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		first[script.Steps[1].Prompt]++
	}
	// Six standard deviations of a fair coin.
	if d := math.Abs(float64(first[PromptLeft]) - n/2); d > 6*math.Sqrt(n)/2 || first[PromptLeft]+first[PromptRight] != n {
		t.Errorf("first prompts of %d scripts: %v", n, first)
	}
}

func TestNewScriptRefuses(t *testing.T) {
	t.Parallel()
	if _, err := NewScript("strict", 68, true, rand.Reader); err == nil {
		t.Error("an unknown mode gave a script")
	}
	if _, err := NewScript(ModeActive, 12, true, rand.Reader); err == nil {
		t.Error("12 landmarks gave a script")
	}
	if _, err := NewScript(ModeActive, 68, true, bytes.NewReader([]byte{1, 2, 3})); err == nil {
		t.Error("three random bytes gave a script")
	}
}

func TestWithoutBlink(t *testing.T) {
	t.Parallel()
	for _, order := range Orders(68) {
		script := Script{Steps: []Step{{Prompt: PromptStraight}}}
		for _, p := range order {
			script.Steps = append(script.Steps, Step{Prompt: p})
		}
		got := script.withoutBlink()
		for i, s := range got.Steps {
			if s.Prompt == PromptBlink || i > 0 && s.Prompt == got.Steps[i-1].Prompt {
				t.Errorf("%v became %v", script.Steps, got.Steps)
			}
			if before := script.Steps[i].Prompt; before != PromptBlink && before != s.Prompt {
				t.Errorf("%v became %v", script.Steps, got.Steps)
			}
		}
	}
}
