package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

// elements counts the elements of a document that must be well-formed.
func elements(t *testing.T, document string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	for decoder := xml.NewDecoder(strings.NewReader(document)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if start, ok := token.(xml.StartElement); ok {
			found[start.Name.Local]++
		}
	}
}

func TestChartsAreWellFormedAndEscaped(t *testing.T) {
	t.Parallel()
	chart := Chart{
		Title: `a "chart" <b>`, X: Axis{Label: "x & y", Min: 1e-6, Max: 1, Log: true}, Y: Axis{Label: "<i>", Max: 1, Percent: true},
		Series: []Series{
			{Name: "<script>", X: []float64{0, 0.5, math.NaN(), 1}, Y: []float64{0, 0.5, 1, math.Inf(1)}},
			{Name: "area", X: []float64{0.1, 0.2}, Y: []float64{-5, 5}, Area: true},
			{Name: "empty"},
		},
		Marks: []Mark{{Name: "<mark>", X: 0.1}},
	}
	bars := Bars{Title: "<t>", Axis: Axis{Min: 1e-6, Max: 1, Log: true}, Bars: []Bar{{"<a>", 0.1, 0, 0.2}, {"none", math.NaN(), 0, 1}}, Limit: Mark{"<l>", 1e-4}}
	for _, svg := range []string{string(chart.SVG()), string(bars.SVG())} {
		found := elements(t, svg)
		if found["svg"] != 1 || found["script"] != 0 || found["b"] != 0 || found["i"] != 0 {
			t.Errorf("elements %v", found)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("a point that is no number is drawn:\n%s", svg)
		}
	}
}

func TestScale(t *testing.T) {
	t.Parallel()
	linear := scale{Axis{Min: 0, Max: 2}, 100, 300}
	for v, want := range map[float64]float64{0: 100, 1: 200, 2: 300, 3: 300, -1: 100} {
		if got := linear.at(v); got != want {
			t.Errorf("%v is at %v, want %v", v, got, want)
		}
	}
	log := scale{Axis{Min: 1e-4, Max: 1, Log: true}, 0, 400}
	for v, want := range map[float64]float64{1e-4: 0, 0.01: 200, 1: 400, 0: 0} {
		if got := log.at(v); math.Abs(got-want) > 1e-9 {
			t.Errorf("%v is at %v, want %v", v, got, want)
		}
	}
	if got := log.ticks(); len(got) != 5 {
		t.Errorf("ticks %v", got)
	}
	for _, high := range []float64{0.3, 1, 1.5, 2, 7, 40} {
		s := scale{Axis{Max: high}, 0, 1}
		if got := s.ticks(); len(got) < 4 || len(got) > 12 {
			t.Errorf("0 to %v has %d ticks", high, len(got))
		}
	}
}
