package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
)

type faceEvaluateCommand struct {
	Inputs []string `arg:"" name:"input" help:"Folder of photos (a subfolder for each person, or name-N.jpg) or file of labelled descriptors (JSONL). group=INPUT labels all of its people."`

	Enrol      int       `help:"Photos of a template." default:"3"`
	Probe      int       `help:"Photos of a probe." default:"3"`
	Metric     string    `help:"euclidean, or normalized, which needs a cohort and tells both." enum:"euclidean,normalized" default:"euclidean"`
	Fusion     string    `help:"How several descriptors become one." enum:"mean" default:"mean"`
	Cohort     string    `help:"What normalized is normalised by: half (each half of the people by the other), or a file of labelled descriptors."`
	Neighbours int       `help:"Members of the cohort that count." default:"10"`
	Bound      float64   `help:"Isolation beyond which a template is too thin to be compared; 0 for none."`
	Correlated bool      `help:"Make a capture of one photo instead of several: of photos by small crops, turns, light and noise, of descriptors by a model."`
	Groups     string    `help:"File of person,group lines." type:"existingfile"`
	From       string    `help:"Group whose comparisons set the thresholds; without it all do."`
	FMR        []float64 `help:"False match rates to find the thresholds of." name:"fmr" default:"1e-3,1e-4,1e-5"`
	Threshold  float64   `help:"One more threshold to tell the rates at."`
	Seed       uint64    `help:"Of the halves and of what is modelled." default:"1"`
	Model      string    `help:"Name of the net that made the descriptors of a file; without it the installed one."`
	Cache      string    `help:"File for the descriptors of photos, so that a run that was stopped goes on where it was. It holds biometric data in clear: only its owner may read it, and it should be deleted in the end." type:"path"`
	Out        string    `help:"Folder for report.json and report.html." type:"path"`
	Save       bool      `help:"Write the report to where the configuration says (face.evaluation), for policy check."`
}

// Run measures how often strangers get in and people are kept out.
func (e faceEvaluateCommand) Run(ctx context.Context, c *cli, out *os.File) error {
	config, _ := loadConfig(c.Config, environment()) // what it lacks is told where it is needed
	if e.Save && config.FaceEvaluation == "" {
		return errors.New("face.evaluation: names no file to save to")
	}
	subjects, acquired, err := e.subjects(ctx, config)
	if err != nil {
		return err
	}
	options, err := e.options()
	if err != nil {
		return err
	}
	report, err := evaluate.Run(ctx, subjects, options)
	if err != nil {
		return err
	}
	report.Made = time.Now().UTC().Truncate(time.Second)
	report.Model = e.model(config)
	report.Acquisition = acquired
	for _, input := range e.Inputs {
		label, path := splitLabel(input)
		report.Inputs = append(report.Inputs, labelled(label, filepath.Base(path)))
	}
	printReport(out, report)
	return e.write(out, report, config)
}

func (e faceEvaluateCommand) options() (evaluate.Options, error) {
	o := evaluate.Options{
		Enrol: e.Enrol, Probe: e.Probe, Metric: e.Metric, Fusion: e.Fusion, Mode: evaluate.ModeIndependent, Seed: e.Seed,
		Neighbours: e.Neighbours, Bound: e.Bound, From: e.From, Targets: e.FMR, Threshold: e.Threshold,
	}
	if e.Correlated {
		o.Mode = evaluate.ModeCorrelated
	}
	if e.Metric != biometrics.MetricNormalized {
		if e.Cohort != "" {
			return o, errors.New("--cohort: belongs to --metric normalized")
		}
		return o, nil
	}
	o.Cohort = e.Cohort
	if e.Cohort == "" || e.Cohort == evaluate.CohortHalf {
		return o, nil
	}
	o.Cohort = filepath.Base(e.Cohort)
	people, err := readDescriptors(e.Cohort)
	if err != nil {
		return o, err
	}
	for _, s := range people {
		var ds []biometrics.Descriptor
		for _, photo := range s.Photos[:min(e.Enrol, len(s.Photos))] {
			ds = append(ds, photo[0])
		}
		fused, err := biometrics.Fuse(e.Fusion, ds)
		if err != nil {
			return o, err
		}
		o.Members = append(o.Members, biometrics.CohortMember{Owner: s.ID, Descriptor: fused})
	}
	return o, nil
}

// model names the net behind the descriptors.
func (e faceEvaluateCommand) model(config Config) string {
	if e.Model != "" {
		return e.Model
	}
	manifest, err := config.manifest()
	if err != nil {
		return "unknown"
	}
	return manifest.Model
}

// write puts the report where the command line says.
func (e faceEvaluateCommand) write(out *os.File, report *evaluate.Report, config Config) error {
	document, err := json.Marshal(report)
	if err != nil {
		return err
	}
	files := map[string][]byte{}
	if e.Save {
		files[config.FaceEvaluation] = document
	}
	if e.Out != "" {
		if err := os.MkdirAll(e.Out, 0o750); err != nil {
			return err
		}
		page, err := reportPage(report)
		if err != nil {
			return err
		}
		files[filepath.Join(e.Out, "report.json")] = document
		files[filepath.Join(e.Out, "report.html")] = page
	}
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		// A crash leaves the old report or the new one.
		fresh := path + ".new"
		if err := os.WriteFile(fresh, files[path], 0o600); err != nil {
			return err
		}
		if err := os.Rename(fresh, path); err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote "+path)
	}
	return nil
}
