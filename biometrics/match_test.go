package biometrics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

func TestMatch(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	for name, test := range map[string]struct {
		templates, probes []Descriptor
		threshold         float64
		want              bool
		wantErr           bool
	}{
		"same":              {[]Descriptor{at(1)}, []Descriptor{at(1)}, 0.45, true, false},
		"at the threshold":  {[]Descriptor{at(1)}, []Descriptor{at(0.5)}, 0.5, true, false},
		"just beyond":       {[]Descriptor{at(1)}, []Descriptor{at(0.5)}, math.Nextafter(0.5, 0), false, false},
		"means, not minima": {[]Descriptor{at(0), at(2)}, []Descriptor{at(0)}, 0.9, false, false},
		"means meet":        {[]Descriptor{at(0), at(2)}, []Descriptor{at(1)}, 0.1, true, false},
		"NaN template":      {[]Descriptor{at(nan)}, []Descriptor{at(1)}, 0.45, false, false},
		"NaN probe":         {[]Descriptor{at(1)}, []Descriptor{at(1), at(nan)}, 0.45, false, false},
		"infinite":          {[]Descriptor{at(float32(math.Inf(1)))}, []Descriptor{at(float32(math.Inf(1)))}, 0.45, false, false},
		"no templates":      {nil, []Descriptor{at(1)}, 0.45, false, true},
		"no probes":         {[]Descriptor{at(1)}, nil, 0.45, false, true},
		"no threshold":      {[]Descriptor{at(1)}, []Descriptor{at(1)}, 0, false, true},
		"NaN threshold":     {[]Descriptor{at(1)}, []Descriptor{at(1)}, math.NaN(), false, true},
		"no limit":          {[]Descriptor{at(1)}, []Descriptor{at(1)}, math.Inf(1), false, true},
	} {
		got, err := Match(test.templates, test.probes, test.threshold)
		if got.Accepted != test.want || (err != nil) != test.wantErr {
			t.Errorf("%s: %v, %v; want accepted %v, error %v", name, got, err, test.want, test.wantErr)
		}
	}
	_, err := Match(nil, []Descriptor{at(1)}, 0.45)
	if !errors.Is(err, ErrNoDescriptors) {
		t.Errorf("got %v, want ErrNoDescriptors", err)
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
	got := fmt.Sprint(Decision{Accepted: true, Distance: 0.123456})
	if got != "accepted" {
		t.Errorf("decision prints as %q", got)
	}
	frame := Frame{jpeg: []byte("picture")}
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
