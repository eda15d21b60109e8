package postgres_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sallyport/sallyport/models"
)

// Of each subject the first descriptors are templates and the next ones probes, so
// the set comes back in the order that it was handed in.
func TestAReferenceSetKeepsItsOrder(t *testing.T) {
	b := setup(t)
	var set []models.FaceReference
	for i := range 60 {
		set = append(set, models.FaceReference{Subject: fmt.Sprint("s", i%3), People: "p", Descriptor: fmt.Append(nil, i)})
	}
	for range 2 { // the second one replaces the first
		if err := b.ReplaceReferences(t.Context(), "m", set); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.References(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(set)
	slices.SortStableFunc(want, func(x, y models.FaceReference) int { return int(x.Subject[1]) - int(y.Subject[1]) })
	if !slices.EqualFunc(got, want, func(x, y models.FaceReference) bool {
		return x.Subject == y.Subject && string(x.Descriptor) == string(y.Descriptor)
	}) {
		t.Errorf("got %v", got)
	}
	if other, err := b.References(t.Context(), "n"); err != nil || len(other) != 0 {
		t.Errorf("of another model: %v, %v", other, err)
	}
}
