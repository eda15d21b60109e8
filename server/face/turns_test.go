package face

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/models"
)

func TestNobodyTakesMoreThanTheirTurns(t *testing.T) {
	t.Parallel()
	var of turns
	first, err := of.take("ada")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := of.take("ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := of.take("ada"); models.CodeOf(err) != models.CodeFaceUnavailable {
		t.Errorf("a third turn: %v", err)
	}
	if _, err := of.take("eve"); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	first()
	if _, err := of.take("ada"); err != nil {
		t.Errorf("after one was given back: %v", err)
	}
	for i := range turnsInAll - 3 {
		if _, err := of.take(models.ID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := of.take("one more"); models.CodeOf(err) != models.CodeFaceUnavailable {
		t.Errorf("beyond all turns: %v", err)
	}
}
