package biometricstest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
)

func TestEngineReadsWhatWasDrawn(t *testing.T) {
	t.Parallel()
	var engine biometricstest.Engine
	for person := 0; person < 64; person += 7 {
		frames := []biometrics.Frame{
			biometricstest.Frame(t, person, person),
			biometricstest.Frame(t, 63-person, person, (person+1)%64),
			biometricstest.Frame(t, person),
		}
		got, err := engine.Analyze(t.Context(), frames)
		if err != nil {
			t.Fatal(err)
		}
		if len(got[0].Faces) != 1 || len(got[1].Faces) != 2 || len(got[2].Faces) != 0 {
			t.Fatalf("person %d: %d, %d and %d faces, want 1, 2 and 0", person, len(got[0].Faces), len(got[1].Faces), len(got[2].Faces))
		}
		if got[0].Faces[0].Descriptor != biometricstest.Descriptor(person, person) {
			t.Errorf("person %d was read as somebody else", person)
		}
		if got[1].Faces[1].Descriptor != biometricstest.Descriptor((person+1)%64, 63-person) {
			t.Errorf("the second face beside person %d was read as somebody else", person)
		}
	}
}

func TestEngineDistances(t *testing.T) {
	t.Parallel()
	var shots [64][4]biometrics.Descriptor
	for person := range shots {
		for shot := range shots[person] {
			shots[person][shot] = biometricstest.Descriptor(person, shot)
		}
	}
	for a := range 64 {
		for b := range a + 1 {
			for shot := 1; shot < 4; shot++ {
				d := biometrics.Distance(shots[a][0], shots[b][shot])
				if a == b && d > 0.25 {
					t.Errorf("person %d is %.2f from itself", a, d)
				}
				if a != b && d < 0.61 {
					t.Errorf("people %d and %d are only %.2f apart", a, b, d)
				}
			}
		}
	}
}

func TestEngineStatusAndScript(t *testing.T) {
	t.Parallel()
	var engine biometricstest.Engine
	engine.SetStatus(biometrics.Status{Reason: "no models"})
	_, err := engine.Analyze(t.Context(), []biometrics.Frame{biometricstest.Frame(t, 0, 1)})
	if !errors.Is(err, biometrics.ErrUnavailable) {
		t.Errorf("error of an engine without models: %v", err)
	}
	scripted := biometricstest.Engine{OnAnalyze: func(context.Context, []biometrics.Frame) ([]biometrics.Observation, error) {
		return nil, &biometrics.CrashError{Reason: "as scripted"}
	}}
	_, err = scripted.Analyze(t.Context(), nil)
	if !errors.Is(err, biometrics.ErrCrashed) {
		t.Errorf("error of a scripted crash: %v", err)
	}
	if scripted.Calls() != 1 {
		t.Errorf("%d calls, want 1", scripted.Calls())
	}
}
