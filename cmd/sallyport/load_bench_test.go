package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/facetest"
	"github.com/sallyport/sallyport/biometrics/worker"
)

const (
	crowd      = 200             // people who verify their face at once
	period     = 5 * time.Second // of each kind, in turns
	signInPace = 250 * time.Millisecond
	// What the server admits: server/face/turns.go.
	capturesInAll = 32
	roundWithin   = 500 * time.Millisecond
)

// BenchmarkLoad measures what 200 people who verify their face at once do to others
// in the same minute, and what becomes of them. By turns there is nobody and the
// crowd, while one client signs in by password and TOTP over loopback, four times a
// second. Server, image gate and clients are in this process, the workers beside it,
// as in production. One iteration is one turn of each.
//
// The crowd goes through what the server uses: a capture is admitted or told when to
// come back, then its frames go through the gate and the pool, one after another, as
// a stream brings them. HTTP and the camera's pace are left out: the crowd sends as
// fast as it is answered.
func BenchmarkLoad(b *testing.B) {
	faces := newFaces(b)
	// At four sign-ins a second each has its turn every half minute, as its codes have.
	a := startServer(b, 120)
	a.signIn()
	var quiet, loaded signIns
	for b.Loop() {
		quiet.during(a, period)
		stop := faces.start()
		loaded.during(a, period)
		stop()
	}
	b.ReportMetric(0, "ns/op")
	faces.report(b)
	for _, door := range []struct {
		name          string
		quiet, loaded []time.Duration
	}{{"password", quiet.password, loaded.password}, {"totp", quiet.code, loaded.code}} {
		fmt.Printf("%-8s  alone p50 %v p95 %v, beside the crowd p50 %v p95 %v (%d and %d sign-ins)\n", door.name,
			quantile(door.quiet, 0.5), quantile(door.quiet, 0.95), quantile(door.loaded, 0.5), quantile(door.loaded, 0.95), len(door.quiet), len(door.loaded))
		b.ReportMetric(float64(quantile(door.loaded, 0.5))/float64(quantile(door.quiet, 0.5)), "x:"+door.name)
	}
}

// signIns are how long each door took.
type signIns struct{ password, code []time.Duration }

func (s *signIns) during(a *app, d time.Duration) {
	pace := time.NewTicker(signInPace)
	defer pace.Stop()
	for end := time.Now().Add(d); time.Now().Before(end); <-pace.C {
		password, code := a.signIn()
		s.password, s.code = append(s.password, password), append(s.code, code)
	}
}

// faces is the face side of a server, and what the crowd met there.
type faces struct {
	b         *testing.B
	pool      *worker.Pool
	gate      *biometrics.Gate
	uploads   [][]byte
	template  []biometrics.Descriptor
	yardstick biometrics.Yardstick

	mu       sync.Mutex
	underWay int             // captures
	took     []time.Duration // of verifications that were admitted
	shed     int             // that were told to come back
	failed   []error
}

func newFaces(b *testing.B) *faces {
	b.Helper()
	config, problems := loadConfig("", map[string]string{
		"SALLYPORT_FACE_WORKER": facetest.Worker(b), "SALLYPORT_FACE_MODELS": facetest.Models(b), "SALLYPORT_DATABASE_URL": nowhere,
		"SALLYPORT_KEYS_SEAL": "{}", "SALLYPORT_KEYS_DIGEST": "AAAA", "SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION": "off",
	})
	if len(problems) > 0 {
		b.Fatal(errors.Join(problems...))
	}
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		b.Fatal(err)
	}
	ready := make(chan worker.Event, 100)
	pool, err := worker.New(worker.Config{
		Command: config.workerCommand(), Workers: config.faceWorkers(), Queue: capturesInAll,
		Observe: func(e worker.Event) { ready <- e },
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Stop)
	pool.Start(b.Context())
	for range config.faceWorkers() {
		if e := <-ready; e.Kind != worker.EventReady {
			b.Fatal(e.Reason)
		}
	}
	f := &faces{
		b: b, pool: pool, gate: gate,
		yardstick: biometrics.Yardstick{Metric: biometrics.MetricEuclidean, Fusion: biometrics.FusionMean, Threshold: 0.6},
	}
	for _, name := range []string{"sample2-face1.jpg", "sample3-face2.jpg", "sample6-face1.jpg"} {
		upload, err := os.ReadFile(filepath.Join(facetest.Samples(b), name))
		if err != nil {
			b.Fatal(err)
		}
		f.uploads = append(f.uploads, upload)
	}
	f.template, err = f.look(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return f
}

// look takes three frames through gate, worker and quality.
func (f *faces) look(ctx context.Context) ([]biometrics.Descriptor, error) {
	var found []biometrics.Descriptor
	rules := biometrics.DefaultRules()
	for _, upload := range f.uploads {
		frame, err := f.gate.Open(ctx, upload)
		if err != nil {
			return nil, err
		}
		seen, err := f.pool.Analyze(ctx, []biometrics.Frame{frame})
		if err != nil {
			return nil, err
		}
		if len(seen[0].Faces) != 1 {
			return nil, fmt.Errorf("%d faces", len(seen[0].Faces))
		}
		biometrics.See(frame, seen[0], rules)
		frame.Wipe()
		found = append(found, seen[0].Faces[0].Descriptor)
	}
	return found, nil
}

// start lets the crowd in until stop is called, which waits for those who are in.
func (f *faces) start() (stop func()) {
	over, end := context.WithCancel(f.b.Context())
	var people sync.WaitGroup
	for range crowd {
		people.Go(func() {
			for over.Err() == nil {
				var busy *biometrics.BusyError
				if err := f.verify(f.b.Context()); errors.As(err, &busy) {
					select {
					case <-time.After(busy.RetryAfter):
					case <-over.Done():
					}
				}
			}
		})
	}
	return func() {
		end()
		people.Wait()
	}
}

// verify is one verification, or a BusyError.
func (f *faces) verify(ctx context.Context) error {
	start := time.Now()
	err := f.enter()
	if err != nil {
		return err
	}
	probes, err := f.look(ctx)
	if err == nil {
		_, err = f.yardstick.Compare("owner", f.template, probes)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.underWay--
	switch {
	case errors.Is(err, biometrics.ErrBusy):
		f.shed++
	case err != nil:
		f.failed = append(f.failed, err)
	default:
		f.took = append(f.took, time.Since(start))
	}
	return err
}

// enter admits a capture as the server does, or tells when to come back.
func (f *faces) enter() error {
	load := f.pool.Status().Load
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.underWay == capturesInAll || load.Round(f.underWay+1) > roundWithin {
		f.shed++
		return &biometrics.BusyError{RetryAfter: time.Second}
	}
	f.underWay++
	return nil
}

func (f *faces) report(b *testing.B) {
	b.Helper()
	for _, err := range f.failed {
		b.Error(err)
	}
	if len(f.took) == 0 || f.shed == 0 {
		b.Fatalf("%d verifications and %d shed: the crowd was no load", len(f.took), f.shed)
	}
	fmt.Printf("\n%d people at once: %d verifications, p50 %v p95 %v (deadline of a request %v), shed %d times\n",
		crowd, len(f.took), quantile(f.took, 0.5), quantile(f.took, 0.95), requestWithin, f.shed)
	for i, p := range f.pool.Processes() {
		fmt.Printf("worker %d: %d MiB, started again %d times\n", i, p.Resident>>20, p.Restarts)
	}
	b.ReportMetric(quantile(f.took, 0.95).Seconds(), "s-p95")
	b.ReportMetric(float64(f.shed), "shed")
}

func quantile(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[int(q*float64(len(sorted)-1)+0.5)].Round(100 * time.Microsecond)
}
