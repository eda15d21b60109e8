package biometrics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"log/slog"
	"math"
	"strings"
	"testing"
)

// at is a descriptor with these first values.
func at(values ...float32) Descriptor {
	var d Descriptor
	copy(d[:], values)
	return d
}

func TestDistance(t *testing.T) {
	t.Parallel()
	if got := Distance(at(3, 0), at(0, 4)); got != 5 {
		t.Errorf("distance %v, want 5: it is Euclidean, not squared", got)
	}
	if got := Distance(at(float32(math.NaN())), at(1)); !math.IsNaN(got) {
		t.Errorf("distance from no number is %v", got)
	}
	// Where the squares of single floats would overflow.
	if got := Distance(at(3e30), at(0)); math.IsInf(got, 0) || got < 2.9e30 {
		t.Errorf("distance %v", got)
	}
}

func TestSamePerson(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ds   []Descriptor
		want bool
	}{
		"nobody":       {nil, false},
		"one":          {[]Descriptor{at(1)}, true},
		"NaN alone":    {[]Descriptor{at(float32(math.NaN()))}, false},
		"near":         {[]Descriptor{at(0), at(0.3), at(0.6)}, true},
		"ends too far": {[]Descriptor{at(0), at(0.5), at(1)}, false},
	} {
		if got := SamePerson(test.ds, 0.6001); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestDescriptorsDoNotPrint(t *testing.T) {
	t.Parallel()
	d := at(0.123456)
	face := Face{Descriptor: d}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("looked", "descriptor", d)
	fmt.Fprintf(&out, "%v %+v %#v %s %x %v %+v", d, d, d, d, d, face, []Descriptor{d})
	for _, s := range []string{"0.123456", "0.12", "3dfcd"} {
		if strings.Contains(out.String(), s) {
			t.Errorf("a value shows in %s", out.String())
		}
	}
	_, err := json.Marshal(face)
	if err == nil {
		t.Error("a descriptor went into JSON")
	}
	got := fmt.Sprint(Decision{Accepted: true})
	if got != "accepted" {
		t.Errorf("decision prints as %q", got)
	}
	frame := Frame{pixels: &image.YCbCr{Y: []byte("picture")}}
	if got := fmt.Sprintf("%v %+v %#v", frame, frame, frame); strings.Contains(got, "112") || strings.Contains(got, "pict") {
		t.Errorf("frame prints as %q", got)
	}
}

func TestDescriptorBinary(t *testing.T) {
	t.Parallel()
	want := at(1, -0.5, math.MaxFloat32)
	data, err := want.MarshalBinary()
	if err != nil || len(data) != DescriptorBytes || !bytes.HasPrefix(data, []byte{0, 0, 0x80, 0x3f}) {
		t.Fatalf("%d bytes %x, %v", len(data), data[:4], err)
	}
	var got Descriptor
	err = got.UnmarshalBinary(data)
	if err != nil || got != want {
		t.Errorf("changed on the way: %v", err)
	}
	for name, bad := range map[string][]byte{
		"short": data[1:],
		"long":  append(data, 0),
		"NaN":   append([]byte{0, 0, 0xc0, 0x7f}, data[4:]...),
	} {
		if got.UnmarshalBinary(bad) == nil {
			t.Errorf("%s: read", name)
		}
	}
}
