package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/biometrics/wire"
	"github.com/sallyport/sallyport/models/postgres/pgtest"
)

// played makes a worker of a shell script: it says hello and answers the first
// picture with no face. The models in dir are what it claims to have loaded.
func played(t *testing.T, dir string, blas biometrics.BLAS) string {
	t.Helper()
	model := biometrics.Model{Name: biometrics.ModelDlibV1Q8, Detector: biometrics.DetectorHOG, Landmarks: 68}
	for _, file := range []struct {
		name string
		sum  *string
	}{
		{biometrics.DescriptorFile, &model.DescriptorSHA256}, {biometrics.LandmarksFile, &model.LandmarksSHA256}, {biometrics.DetectorFile, &model.DetectorSHA256},
	} {
		id, err := biometrics.IdentifyFile(filepath.Join(dir, file.name))
		if err != nil {
			t.Fatal(err)
		}
		*file.sum = id.SHA256
	}
	hello, err := wire.EncodeHello(wire.Hello{Model: model, BLAS: blas})
	if err != nil {
		t.Fatal(err)
	}
	nobody, err := wire.EncodeFaces(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]wire.Message{
		"hello": {Type: wire.TypeHello, Payload: hello}, "answer": {Type: wire.TypeFaces, ID: 1, Payload: nobody},
	} {
		var out bytes.Buffer
		if err := wire.Write(&out, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := fmt.Sprintf("#!/bin/sh\ncat %[1]s/hello; head -c 16 >/dev/null; cat %[1]s/answer; cat >/dev/null\n", dir)
	program := filepath.Join(dir, "sallyport-face")
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return program
}

// installed makes a folder of model files with a manifest that fits them.
func installed(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	m := biometrics.Manifest{Model: biometrics.ModelDlibV1Q8}
	for _, name := range biometrics.ModelFiles() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("not really "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		id, err := biometrics.IdentifyFile(path)
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, biometrics.ManifestEntry{File: name, SHA256: id.SHA256, From: "a test", Trained: name != biometrics.DetectorFile})
	}
	m.Files[1].Licence = "for tests alone"
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, biometrics.ManifestFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// nowhere is a database that can't be reached, with a password to keep.
const nowhere = "postgres://app:hush-hush@/app?host=/nowhere/at/all"

// one gives the only finding of a check.
func (f findings) one(t *testing.T, check string) finding {
	t.Helper()
	var found findings
	for _, g := range f {
		if g.Check == check {
			found = append(found, g)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d findings of %q in %+v", len(found), check, f)
	}
	return found[0]
}

func TestDoctorFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	whole := installed(t)
	open := biometrics.BLAS{Name: biometrics.BLASOpen, Threads: 1}
	spoilt := installed(t)
	worker := played(t, spoilt, open)
	if err := os.WriteFile(filepath.Join(spoilt, biometrics.LandmarksFile), []byte("another file"), 0o600); err != nil {
		t.Fatal(err)
	}
	policyFile := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(policyFile, []byte("face:\n  model: another-net\n  threshold: 0.4\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "policy.yaml")
	yardsticks := "face: {model: taguchi-v1, threshold: 0.4, previous: {metric: euclidean, fusion: mean, model: dlib-v1-q8, threshold: 0.45}}"
	if err := os.WriteFile(changed, []byte(yardsticks), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		over        map[string]string
		check, says string
		want        state
	}{
		"setting":       {map[string]string{"SALLYPORT_LISTEN": "here"}, "configuration", "must be host:port", broken},
		"keys":          {nil, "keys", "keys.digest: must be 32 bytes", broken},
		"database":      {map[string]string{"SALLYPORT_DATABASE_URL": nowhere}, "database", "/nowhere/at/all", broken},
		"policy":        {map[string]string{"SALLYPORT_POLICY_FILE": "/nowhere/policy.yaml"}, "policy", "policy.file", broken},
		"switched off":  {map[string]string{"SALLYPORT_FACE_ENABLED": "false"}, "face", "switched off", fine},
		"no models":     {map[string]string{"SALLYPORT_FACE_MODELS": "/nowhere"}, "face", "no face models in /nowhere", broken},
		"no worker":     {map[string]string{"SALLYPORT_FACE_MODELS": whole, "SALLYPORT_FACE_WORKER": "/nowhere/face"}, "face", "no face worker at /nowhere/face", broken},
		"worker dies":   {map[string]string{"SALLYPORT_FACE_MODELS": whole, "SALLYPORT_FACE_WORKER": "/bin/false"}, "face worker", "exit status 1", broken},
		"other model":   {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_WORKER": worker, "SALLYPORT_POLICY_FILE": policyFile}, "face policy", "for another-net, installed is dlib-v1-q8", broken},
		"model changed": {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_WORKER": worker}, "face models", "MANIFEST.json says", broken},
		"many workers":  {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_WORKER": worker, "SALLYPORT_FACE_WORKERS": "999"}, "cores", "for 999 face workers", warning},
		"much memory": {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_WORKER": worker, "SALLYPORT_FACE_MEMORY_MIB": "1048576"},
			"face memory", "at their limit", warning},
		"no previous": {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_PREVIOUS_MODELS": "/nowhere"},
			"previous net", "no face models in /nowhere", broken},
		"previous, no yardstick": {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_PREVIOUS_MODELS": whole},
			"previous net", "runs for nobody", warning},
		"previous": {map[string]string{"SALLYPORT_FACE_MODELS": spoilt, "SALLYPORT_FACE_PREVIOUS_MODELS": whole, "SALLYPORT_POLICY_FILE": changed},
			"previous net", "dlib-v1-q8, for those who have not enrolled anew", fine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			over := map[string]string{"SALLYPORT_DATABASE_URL": nowhere, "SALLYPORT_FACE_WORKER": worker}
			for name, value := range c.over {
				over[name] = value
			}
			config, problems := load(t, "", over)
			found := examine(t.Context(), config, problems)
			told := false
			for _, f := range found {
				told = told || f.Check == c.check && f.State == c.want && strings.Contains(f.Text, c.says)
				if strings.Contains(f.Text, "hush-hush") || strings.Contains(f.Text, "\n") {
					t.Errorf("tells %q", f.Text)
				}
			}
			if !told {
				t.Errorf("does not tell %q of %q as %s in %+v", c.says, c.check, c.want, found)
			}
		})
	}
}

func TestDoctorLooksAtTheWorker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		blas biometrics.BLAS
		want state
		says string
	}{
		{biometrics.BLAS{Name: biometrics.BLASOpen, Threads: 1}, fine, "openblas, 1 thread in each worker"},
		{biometrics.BLAS{Name: biometrics.BLASOpen, Threads: 8}, warning, "OPENBLAS_NUM_THREADS must be 1"},
		{biometrics.BLAS{Name: biometrics.BLASReference}, warning, "four times as long"},
		{biometrics.BLAS{}, warning, "does not know"},
	} {
		dir := installed(t)
		config, problems := load(t, "", map[string]string{
			"SALLYPORT_FACE_MODELS": dir, "SALLYPORT_FACE_WORKER": played(t, dir, c.blas), "SALLYPORT_DATABASE_URL": nowhere, "SALLYPORT_FACE_WORKERS": "1",
		})
		found := examine(t.Context(), config, problems)
		if got := found.one(t, "blas"); got.State != c.want || !strings.Contains(got.Text, c.says) {
			t.Errorf("%v: %+v", c.blas, got)
		}
		for _, check := range []string{"configuration", "face worker", "face memory", "face policy", "detector", "cores"} {
			if got := found.one(t, check); got.State != fine {
				t.Errorf("%+v", got)
			}
		}
		if licences := found.count(warning); licences != 1 && c.want == fine {
			t.Errorf("%d warnings, want the licence note alone: %+v", licences, found)
		}
	}
}

// The database that the tests have is one that a server could use.
func TestDoctorReachesTheDatabase(t *testing.T) {
	t.Parallel()
	fixture := pgtest.New(t)
	for url, want := range map[string]state{
		fixture.URL:                              fine,
		os.Getenv("SALLYPORT_TEST_DATABASE_URL"): broken, // the one beside, where nothing was ever migrated
	} {
		config, problems := load(t, "", map[string]string{"SALLYPORT_DATABASE_URL": url, "SALLYPORT_FACE_ENABLED": "false"})
		found := examine(t.Context(), config, problems)
		if got := found.one(t, "database"); got.State != fine || !strings.Contains(got.Text, "PostgreSQL") {
			t.Errorf("%+v", got)
		}
		if got := found.one(t, "schema"); got.State != want {
			t.Errorf("%s: %+v, want %s", url, got, want)
		}
	}
}

// The command ends with an error when something is broken and prints the same
// findings for people and programs. The real worker is asked, where there is one.
func TestDoctorCommand(t *testing.T) {
	t.Setenv("SALLYPORT_DATABASE_URL", nowhere)
	t.Setenv("SALLYPORT_FACE_MODELS", facetest.Models(t))
	t.Setenv("SALLYPORT_FACE_WORKER", facetest.Worker(t))
	output := func(args ...string) (string, error) {
		path := filepath.Join(t.TempDir(), "out")
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		failed := run(t.Context(), append([]string{"doctor"}, args...), out)
		text, err := os.ReadFile(path)
		if err := errors.Join(err, out.Close()); err != nil {
			t.Fatal(err)
		}
		return string(text), failed
	}
	text, err := output()
	if err == nil || !strings.HasPrefix(err.Error(), "broken: ") {
		t.Errorf("with a database out of reach: %v", err)
	}
	var found findings
	document, _ := output("--json")
	if err := json.Unmarshal([]byte(document), &found); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(text, "\n"); lines != len(found) {
		t.Errorf("%d lines for %d findings", lines, len(found))
	}
	if got := found.one(t, "face worker"); got.State != fine {
		t.Errorf("%+v", got)
	}
	if got := found.one(t, "blas"); got.Text == "" || strings.Contains(got.Text, "does not know") {
		t.Errorf("%+v", got)
	}
}
