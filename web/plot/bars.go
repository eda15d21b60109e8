package plot

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// Bar is one value with its bounds.
type Bar struct {
	Name             string
	Value, Low, High float64
}

// Bars is a chart of values side by side, each with its bounds, and a line at the
// value that they are held to.
type Bars struct {
	Title string
	Axis  Axis
	Bars  []Bar
	Limit Mark // X is on Axis
}

// barRow is the height of one bar's row in CSS pixels.
const barRow = 32

// SVG returns the chart as an element for a page. Names are escaped.
func (c Bars) SVG() template.HTML {
	var b strings.Builder
	const names = 120
	bottomEdge := top + 16 + barRow*len(c.Bars)
	open(&b, c.Title, bottomEdge+bottom)
	x := scale{c.Axis, names, width - right}
	for _, v := range x.ticks() {
		at := x.at(v)
		fmt.Fprintf(&b, `<path class="grid" d="M%.1f %dV%d"/><text x="%.1f" y="%d" text-anchor="middle">%s</text>`, at, top+16, bottomEdge, at, bottomEdge+16, x.label(v))
	}
	for i, bar := range c.Bars {
		y := top + 16 + barRow*i + 6
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, names-8, y+14, html.EscapeString(bar.Name))
		value, low, high := x.at(bar.Value), x.at(bar.Low), x.at(bar.High)
		if math.IsNaN(value) || math.IsNaN(low) || math.IsNaN(high) {
			continue
		}
		fmt.Fprintf(&b, `<rect class="s%d area" x="%d" y="%d" width="%.1f" height="20"/>`, i, names, y, value-names)
		fmt.Fprintf(&b, `<path class="bound" d="M%.1f %dH%.1fM%.1f %dv8M%.1f %dv8"/>`, low, y+10, high, low, y+6, high, y+6)
	}
	at := x.at(c.Limit.X)
	fmt.Fprintf(&b, `<path class="mark" d="M%.1f %dV%d"/><text x="%.1f" y="%d">%s</text>`, at, top+16, bottomEdge, at+4, top+10, html.EscapeString(c.Limit.Name))
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text></svg>`, (names+width-right)/2, bottomEdge+bottom-8, html.EscapeString(c.Axis.Label))
	return template.HTML(b.String()) //nolint:gosec // numbers, and names that were escaped
}
