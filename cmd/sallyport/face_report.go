package main

import (
	"bytes"
	_ "embed"
	"html/template"

	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/web/plot"
)

//go:embed face_report.html
var reportTemplate string

var reportHTML = template.Must(template.New("report").Funcs(template.FuncMap{
	"verdict":    verdict,
	"operations": operations,
	"percent":    func(v float64) float64 { return 100 * v },
	"det":        detChart,
	"scores":     scoreChart,
	"groups":     groupChart,
}).Parse(reportTemplate))

// reportPage is the report as one page that needs nothing else.
func reportPage(r *evaluate.Report) ([]byte, error) {
	var out bytes.Buffer
	err := reportHTML.Execute(&out, struct {
		*evaluate.Report
		About []string
	}{r, describeReport(r)})
	return out.Bytes(), err
}

// detChart is the detection error tradeoff of every metric: FNMR over FMR, both
// logarithmic.
func detChart(r *evaluate.Report) template.HTML {
	chart := plot.Chart{
		Title: "Detection error tradeoff: false non-match rate over false match rate",
		X:     plot.Axis{Label: "false match rate", Min: 1e-6, Max: 1, Log: true, Percent: true},
		Y:     plot.Axis{Label: "false non-match rate", Min: 1e-3, Max: 1, Log: true, Percent: true},
		Marks: []plot.Mark{{Name: "1 in 10,000", X: 1e-4}},
	}
	for _, m := range r.Metrics {
		line := plot.Series{Name: m.Metric + ", all"}
		line.X, line.Y = det(m.All)
		chart.Series = append(chart.Series, line)
		for _, g := range m.Groups {
			line := plot.Series{Name: m.Metric + ", within " + g.Name}
			line.X, line.Y = det(g)
			chart.Series = append(chart.Series, line)
		}
	}
	return chart.SVG()
}

func det(s evaluate.Sample) (fmr, fnmr []float64) {
	if s.Impostors == 0 || s.Genuine == 0 {
		return nil, nil
	}
	for i := range s.ImpostorsAccepted {
		if s.ImpostorsAccepted[i] == 0 {
			continue // at no rate that was seen
		}
		fmr = append(fmr, float64(s.ImpostorsAccepted[i])/float64(s.Impostors))
		fnmr = append(fnmr, 1-float64(s.GenuineAccepted[i])/float64(s.Genuine))
	}
	return fmr, fnmr
}

// binWidth is how many thresholds of the curve go into one bin of a histogram.
const binWidth = 20

// scoreChart is how the scores of one metric are distributed, with the threshold of
// the target that NIST asks for, or the first there is.
func scoreChart(m evaluate.Measured) template.HTML {
	chart := plot.Chart{
		Title: "Scores of genuine and impostor comparisons, " + m.Metric,
		X:     plot.Axis{Label: m.Metric + " score", Max: evaluate.Threshold(len(m.All.GenuineAccepted) - 1)},
		Y:     plot.Axis{Label: "share of comparisons", Max: 0.01, Percent: true},
	}
	for _, side := range []struct {
		name     string
		accepted []int
		of       int
	}{{"genuine", m.All.GenuineAccepted, m.All.Genuine}, {"impostor", m.All.ImpostorsAccepted, m.All.Impostors}} {
		s := plot.Series{Name: side.name, Area: true}
		for i := binWidth; i < len(side.accepted) && side.of > 0; i += binWidth {
			share := float64(side.accepted[i]-side.accepted[i-binWidth]) / float64(side.of)
			s.X, s.Y = append(s.X, evaluate.Threshold(i-binWidth/2)), append(s.Y, share)
			chart.Y.Max = max(chart.Y.Max, share)
		}
		chart.Series = append(chart.Series, s)
	}
	for _, o := range operations(&m) {
		if o.FMR.Value <= 1e-4 {
			chart.Marks = []plot.Mark{{Name: "threshold", X: o.Threshold}}
			break
		}
	}
	return chart.SVG()
}

// groupChart is the false match rate within each group at one threshold.
func groupChart(o *evaluate.Operation) template.HTML {
	chart := plot.Bars{
		Title: "False match rate within each group at one threshold",
		Axis:  plot.Axis{Label: "false match rate, with its 95 % bounds", Min: 1e-6, Max: 1, Log: true, Percent: true},
		Limit: plot.Mark{Name: "1 in 10,000", X: 1e-4},
	}
	for _, g := range o.Groups {
		chart.Bars = append(chart.Bars, plot.Bar{Name: g.Name, Value: g.FMR.Value, Low: g.FMR.Low, High: g.FMR.High})
	}
	return chart.SVG()
}
