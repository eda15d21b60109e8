package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/worker"
	"github.com/sallyport/sallyport/models"
	"github.com/sallyport/sallyport/server/face"
)

// face examines the face factor as serve would run it, with one worker.
func (f *findings) face(ctx context.Context, config Config, policy models.Policy) {
	if !config.FaceEnabled {
		f.add(fine, "face", "switched off in the configuration (face.enabled)")
		return
	}
	if !policy.Allows(models.Face) {
		f.add(warning, "face", "the policy does not allow it (factors.allowed); the workers run all the same: face.enabled false saves their memory")
	}
	manifest, err := config.facePrepared()
	if err != nil {
		f.add(broken, "face", "%v", err)
		return
	}
	f.models(config, manifest)
	f.previous(config, policy)
	f.verdict(manifest.CheckDetector(config.FaceDetector), "detector", "%s", config.FaceDetector)
	f.cores(config)
	f.worker(ctx, config, policy)
}

// models tells what the model files are, and that they are what the manifest says.
func (f *findings) models(config Config, manifest biometrics.Manifest) {
	for _, name := range biometrics.ModelFiles() {
		entry := manifest.Entry(name)
		id, err := biometrics.IdentifyFile(filepath.Join(config.FaceModels, name))
		if err == nil && id.SHA256 != entry.SHA256 {
			err = fmt.Errorf("%s has the SHA-256 %s, %s says %s", name, id.SHA256, biometrics.ManifestFile, entry.SHA256)
		}
		f.verdict(err, "face models", "%s, SHA-256 %s, %s", name, id.SHA256, entry.From)
	}
	for _, note := range manifest.Notes() {
		f.add(warning, "face models", "%s", note)
	}
}

// previous looks at the net that was installed before, where one is named.
func (f *findings) previous(config Config, policy models.Policy) {
	before, ok := config.previous()
	if !ok {
		return
	}
	manifest, err := before.facePrepared()
	if err != nil {
		f.add(broken, "previous net", "face.previous_models: %v", err)
		return
	}
	f.models(before, manifest)
	if policy.Face.Previous == nil || policy.Face.Previous.Model != manifest.Model {
		f.add(warning, "previous net", "%s runs for nobody: the policy has no yardstick for it (face.previous)", manifest.Model)
		return
	}
	f.add(fine, "previous net", "%s, for those who have not enrolled anew, by one more worker", manifest.Model)
}

func (f *findings) cores(config Config) {
	workers, state, advice := config.faceWorkers(), fine, ""
	if workers > cores() {
		state, advice = warning, ": more workers than cores make none of them faster"
	}
	f.add(state, "cores", "%d for %d face workers%s", cores(), workers, advice)
}

// worker starts one as serve would, and shows it an empty picture.
func (f *findings) worker(ctx context.Context, config Config, policy models.Policy) {
	events := make(chan worker.Event, 1)
	pool, err := worker.New(worker.Config{
		Command: config.workerCommand(),
		Workers: 1,
		Observe: func(e worker.Event) {
			select {
			case events <- e:
			default: // the first one tells
			}
		},
	})
	if err != nil {
		f.add(broken, "face worker", "%v", err)
		return
	}
	defer pool.Stop()
	began := time.Now()
	pool.Start(ctx)
	select {
	case e := <-events:
		if e.Kind != worker.EventReady {
			f.add(broken, "face worker", "%s", e.Reason)
			return
		}
	case <-ctx.Done():
		f.add(broken, "face worker", "stopped while it was starting")
		return
	}
	started := time.Since(began)
	began = time.Now()
	frame, err := emptyFrame(ctx)
	if err == nil {
		_, err = pool.Analyze(ctx, []biometrics.Frame{frame})
	}
	f.verdict(err, "face worker", "started in %v, looked at an empty picture in %v",
		started.Round(10*time.Millisecond), time.Since(began).Round(time.Millisecond))
	process := pool.Processes()[0]
	f.blas(process.BLAS)
	f.memory(config, process.Resident)
	// Records that can't be read are a finding already.
	cohorts, _ := storedCohorts(ctx, config)
	f.facePolicy(pool.Status(), cohorts, policy)
}

// emptyFrame is a picture of nothing, through the gate.
func emptyFrame(ctx context.Context) (biometrics.Frame, error) {
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		return biometrics.Frame{}, err
	}
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 640, 480)), nil); err != nil {
		return biometrics.Frame{}, err
	}
	return gate.Open(ctx, picture.Bytes())
}

func (f *findings) blas(found biometrics.BLAS) {
	switch {
	case found.Name == "":
		f.add(warning, "blas", "the worker does not know which one it has loaded")
	case found.Name != biometrics.BLASOpen:
		f.add(warning, "blas", "%s: a face takes up to four times as long as with OpenBLAS; install libopenblas0-pthread, and let Debian's alternatives choose it (update-alternatives --display libblas.so.3-*)", found)
	case found.Threads != 1:
		f.add(warning, "blas", "%s: workers get in each other's way; OPENBLAS_NUM_THREADS must be 1 where they start", found)
	default:
		f.add(fine, "blas", "%s in each worker", found)
	}
}

func (f *findings) memory(config Config, resident int64) {
	workers, all := config.faceWorkers(), machineMiB()
	if before, ok := config.previous(); ok {
		workers += before.faceWorkers()
	}
	text := fmt.Sprintf("%d MiB a worker after one picture, limit %d MiB (face.memory_mib)", resident>>20, config.FaceMemoryMiB)
	if need := workers * config.FaceMemoryMiB; all > 0 && need > all {
		f.add(warning, "face memory", "%s; %d workers at their limit take %d MiB, this machine has %d", text, workers, need, all)
		return
	}
	f.add(fine, "face memory", "%s", text)
}

// machineMiB is the memory of this machine, 0 where that can't be read.
func machineMiB() int {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "MemTotal:")
	var kib int
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib >> 10
}

func (f *findings) facePolicy(status biometrics.Status, cohorts *face.Cohorts, policy models.Policy) {
	var err error
	if trouble := faceTrouble(status, cohorts, policy.Face); trouble != "" {
		err = errors.New(trouble)
	}
	f.verdict(err, "face policy", "%s %s at %v, for the installed %s", policy.Face.Metric, policy.Face.Fusion, policy.Face.Threshold, status.Model.Name)
}
