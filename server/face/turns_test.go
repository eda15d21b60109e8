package face

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/models"
)

var noon = time.Unix(43_200, 0)

func TestNobodyTakesMoreThanTheirTurns(t *testing.T) {
	t.Parallel()
	var of turns
	first, err := of.take(noon, "ada", biometrics.Load{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := of.take(noon, "ada", biometrics.Load{}); err != nil {
		t.Fatal(err)
	}
	if _, err := of.take(noon, "ada", biometrics.Load{}); models.CodeOf(err) != models.CodeFaceUnavailable {
		t.Errorf("a third turn: %v", err)
	}
	if _, err := of.take(noon, "eve", biometrics.Load{}); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	first()
	if _, err := of.take(noon, "ada", biometrics.Load{}); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
	for i := range turnsInAll - 3 {
		if _, err := of.take(noon, models.ID(fmt.Sprint(i)), biometrics.Load{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := of.take(noon, "one more", biometrics.Load{}); models.CodeOf(err) != models.CodeFaceUnavailable {
		t.Errorf("beyond all turns: %v", err)
	}
}

// A frame that is answered seconds late is of no use to anybody: no capture
// begins that would make all of them so.
func TestNoCaptureBeginsThatWouldStarveTheOthers(t *testing.T) {
	t.Parallel()
	var of turns
	slow := biometrics.Load{Workers: 1, PerFrame: roundWithin / 2}
	for i := range 2 {
		if _, err := of.take(noon, models.ID(fmt.Sprint(i)), slow); err != nil {
			t.Fatal(err)
		}
	}
	_, err := of.take(noon, "one more", slow)
	var refusal *models.Error
	if !errors.As(err, &refusal) || refusal.Code != models.CodeFaceUnavailable || refusal.RetryAfter == 0 {
		t.Errorf("got %v", err)
	}
}

// A connection that was dropped before its handler ran gives nothing back.
func TestATurnEndsByItself(t *testing.T) {
	t.Parallel()
	var of turns
	for range turnsPerSession {
		if _, err := of.take(noon, "ada", biometrics.Load{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := of.take(noon.Add(challengeWithin), "ada", biometrics.Load{}); err != nil {
		t.Errorf("after the challenge's end: %v", err)
	}
}
