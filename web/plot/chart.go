// Package plot draws charts as SVG, with the standard library alone. Colours come
// from the page's CSS: lines have the classes s0, s1, …, text and axes take
// currentColor, so a chart follows a dark page.
package plot

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The size of a chart in CSS pixels, and the room around its field.
const (
	width, height            = 640, 360
	left, right, top, bottom = 64, 16, 16, 48
)

// Axis is one axis of a chart.
type Axis struct {
	Label    string
	Min, Max float64
	Log      bool // Min must be above 0 then
	Percent  bool // values are shares, labels percent
}

// Series is one line. Points that are not finite are left out; points outside of
// the axes are held at the edge.
type Series struct {
	Name string
	X, Y []float64
	Area bool // filled down to the axis, as in a histogram
}

// Mark is a vertical line with a name.
type Mark struct {
	Name string
	X    float64
}

// Chart is lines over two axes.
type Chart struct {
	Title  string // read by screen readers
	X, Y   Axis
	Series []Series
	Marks  []Mark
}

// SVG returns the chart as an element for a page. Names are escaped.
func (c Chart) SVG() template.HTML {
	var b strings.Builder
	open(&b, c.Title, height)
	x := scale{c.X, left, width - right}
	y := scale{c.Y, height - bottom, top}
	axes(&b, x, y)
	for i, s := range c.Series {
		b.WriteString(line(i, s, x, y))
	}
	for _, m := range c.Marks {
		at := x.at(m.X)
		fmt.Fprintf(&b, `<path class="mark" d="M%.1f %dV%d"/><text x="%.1f" y="%d">%s</text>`, at, top, height-bottom, at+4, top+10, html.EscapeString(m.Name))
	}
	for i, s := range c.Series {
		row := top + 16*(i+1) + 16*min(1, len(c.Marks))
		fmt.Fprintf(&b, `<path class="s%d line" d="M%d %dh20"/><text x="%d" y="%d" text-anchor="end">%s</text>`,
			i, width-right-24, row-4, width-right-30, row, html.EscapeString(s.Name))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers, and names that were escaped
}

func open(b *strings.Builder, title string, height int) {
	fmt.Fprintf(b, `<svg class="plot" viewBox="0 0 %d %d" role="img" aria-label="%s">`, width, height, html.EscapeString(title))
}

func line(i int, s Series, x, y scale) string {
	var d strings.Builder
	first, last := math.NaN(), 0.0
	for j := range min(len(s.X), len(s.Y)) {
		px, py := x.at(s.X[j]), y.at(s.Y[j])
		if math.IsNaN(px) || math.IsNaN(py) {
			continue
		}
		command := "L"
		if math.IsNaN(first) {
			command, first = "M", px
		}
		last = px
		fmt.Fprintf(&d, "%s%.1f %.1f", command, px, py)
	}
	if d.Len() == 0 {
		return ""
	}
	if !s.Area {
		return fmt.Sprintf(`<path class="s%d line" d="%s"/>`, i, d.String())
	}
	floor := height - bottom
	return fmt.Sprintf(`<path class="s%d area" d="%sL%.1f %dL%.1f %dZ"/>`, i, d.String(), last, floor, first, floor)
}

func axes(b *strings.Builder, x, y scale) {
	fmt.Fprintf(b, `<path class="axis" d="M%d %dV%dH%d"/>`, left, top, height-bottom, width-right)
	for _, v := range x.ticks() {
		at := x.at(v)
		fmt.Fprintf(b, `<path class="grid" d="M%.1f %dV%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`, at, top, height-bottom, at, height-bottom+16, x.label(v))
	}
	for _, v := range y.ticks() {
		at := y.at(v)
		fmt.Fprintf(b, `<path class="grid" d="M%d %.1fH%d"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`, left, at, width-right, left-6, at+4, y.label(v))
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`, (left+width-right)/2, height-8, html.EscapeString(x.Label))
	fmt.Fprintf(b, `<text transform="translate(14 %d) rotate(-90)" text-anchor="middle">%s</text>`, (top+height-bottom)/2, html.EscapeString(y.Label))
}
