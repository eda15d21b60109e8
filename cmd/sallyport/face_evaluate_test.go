package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/evaluate"
	"github.com/sallyport/sallyport/biometrics/facetest"
)

// madeUp writes labelled descriptors of n people with six photos each.
func madeUp(t *testing.T, prefix string, n int, seed uint64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	var lines strings.Builder
	for person := range n {
		var face biometrics.Descriptor
		for i := range face {
			face[i] = float32(r.NormFloat64() * 0.05)
		}
		for range 6 {
			photo := face
			for i := range photo {
				photo[i] += float32(r.NormFloat64() * 0.015)
			}
			raw, err := photo.MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&lines, "{\"id\": \"%s%d\", \"descriptor\": %q}\n", prefix, person, base64.StdEncoding.EncodeToString(raw))
		}
	}
	path := filepath.Join(t.TempDir(), prefix+".jsonl")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// told runs a command line and returns what it prints.
func told(t *testing.T, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	if err := printed(t, path, args...); err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestFaceEvaluateWritesWhatItMeasured(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SALLYPORT_FACE_EVALUATION", filepath.Join(dir, "last.json"))
	out := told(t, "face", "evaluate", "one="+madeUp(t, "a", 60, 1), "other="+madeUp(t, "b", 60, 2),
		"--metric", "normalized", "--cohort", "half", "--model", "dlib-v1", "--out", filepath.Join(dir, "out"), "--save")
	for _, want := range []string{"120 people", "within one", "can't be shown: it needs 300000", "below the 200 that a policy may choose", "euclidean:"} {
		if !strings.Contains(out, want) {
			t.Errorf("does not tell %q:\n%s", want, out)
		}
	}
	for _, name := range []string{"last.json", "out/report.json"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := evaluate.ParseReport(data); err != nil || r.Model != "dlib-v1" || r.By("euclidean") == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "out/report.html"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(page), "<svg"); n < 5 {
		t.Errorf("%d charts", n)
	}
	if outside := regexp.MustCompile(`(?i)https?://|src=|<link|<script|url\(`).Find(page); outside != nil {
		t.Errorf("the page needs %s", outside)
	}
}

func TestFaceEvaluateRefuses(t *testing.T) {
	file := madeUp(t, "a", 2, 1)
	bad := filepath.Join(t.TempDir(), "bad.jsonl")
	if err := os.WriteFile(bad, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"bad.jsonl:1: no id":        {bad},
		"a0 is in two inputs":       {file, file},
		"needs a cohort":            {file, "--metric", "normalized"},
		"belongs to --metric":       {file, "--cohort", "half"},
		"no file to save to":        {file, "--save"},
		"no such file":              {file + ".missing"},
		"bad.jsonl:1: not person,g": {file, "--groups", bad},
		"holds no photos":           {t.TempDir()},
	} {
		err := printed(t, filepath.Join(t.TempDir(), "out"), append([]string{"face", "evaluate"}, args...)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
	}
}

func TestPhotosAreListedByPerson(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"ann-2.jpg", "ann-10.JPG", "ann-1.png", "bob/x.webp", "bob/y-1.jpeg", "notes.txt", "group.jpg", "alpha-32bit.png", "bob/more/z.jpg"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	photos, err := listPhotos(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range photos {
		got = append(got, p.person+" "+filepath.Base(p.path))
	}
	want := []string{"ann ann-1.png", "ann ann-2.jpg", "ann ann-10.JPG", "bob x.webp", "bob y-1.jpeg"}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// withPhotos configures the real worker and returns a folder of three people's
// photos and a picture of nobody.
func withPhotos(t *testing.T) string {
	t.Helper()
	t.Setenv("SALLYPORT_FACE_MODELS", facetest.Models(t))
	t.Setenv("SALLYPORT_FACE_WORKER", facetest.Worker(t))
	dir := t.TempDir()
	for _, name := range []string{"obama-1.jpg", "obama-2.jpg", "biden-1.jpg", "biden-2.jpg", "tzuyu-1.jpg", "tzuyu-2.jpg", "two-people.jpg"} {
		data, err := os.ReadFile(filepath.Join(facetest.Dir(t), "faces", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, strings.Replace(name, "two-people", "crowd-1", 1)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A run that was stopped goes on where it was: with the cache no worker is needed.
func TestFaceEvaluateGoesOnFromItsCache(t *testing.T) {
	dir := withPhotos(t)
	cache := filepath.Join(t.TempDir(), "cache")
	args := []string{"face", "evaluate", dir, "--enrol", "1", "--probe", "1", "--cache", cache, "--threshold", "0.5"}
	first := told(t, args...)
	if !strings.Contains(first, "failure to acquire: 14.3 %") || !strings.Contains(first, "3 genuine and 12 impostor comparisons") {
		t.Errorf("got\n%s", first)
	}
	// A run that was killed leaves a piece of a line.
	f, err := os.OpenFile(cache, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(f, `{"picture": "ab`)
	f.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SALLYPORT_FACE_WORKER", filepath.Join(dir, "missing"))
	if second := told(t, args...); second != first {
		t.Errorf("from the cache:\n%s", second)
	}
	if err := os.Chmod(cache, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := printed(t, filepath.Join(t.TempDir(), "out"), args...); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a cache that others may read: %v", err)
	}
}

// The model of frames of one capture in evaluate has its size from here.
func TestFramesOfOneCaptureAreAsFarApartAsModelled(t *testing.T) {
	if testing.Short() || facetest.Race {
		t.Skip("draws every pixel of eighteen pictures")
	}
	dir := withPhotos(t)
	cache := filepath.Join(t.TempDir(), "cache")
	told(t, "face", "evaluate", dir, "--enrol", "3", "--probe", "3", "--correlated", "--cache", cache)
	data, err := os.ReadFile(cache)
	if err != nil {
		t.Fatal(err)
	}
	sum, pairs := 0.0, 0
	for line := range strings.Lines(string(data)) {
		var l cacheLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		var ds []biometrics.Descriptor
		for _, raw := range l.Descriptors {
			var d biometrics.Descriptor
			if err := d.UnmarshalBinary(raw); err != nil {
				t.Fatal(err)
			}
			for _, other := range ds {
				sum += biometrics.Distance(d, other)
				pairs++
			}
			ds = append(ds, d)
		}
	}
	mean := sum / float64(pairs)
	t.Logf("%d pairs of frames of one photo are %.3f apart on average; modelled: %.3f", pairs, mean, evaluate.FrameSpread)
	if pairs < 18 || mean < evaluate.FrameSpread*0.7 || mean > evaluate.FrameSpread*1.3 {
		t.Errorf("%d pairs of frames are %.3f apart, the model has %.3f", pairs, mean, evaluate.FrameSpread)
	}
}
