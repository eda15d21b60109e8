// Command play makes the sequences that a fake camera shows in answer to prompts:
// of one photo it writes, below a folder for each prompt, a loop of JPEG frames of
// 640x480 from rest to the pose and back, ten to a second. It asks the face worker
// where the landmarks are.
//
// A camera that passes for a person does not cut: when the prompt changes it shows
// the way back, the last six frames of the loop, before the first of the next; and
// it goes on where it left off when straight comes again, for equal frames are a
// sign of an attack.
//
//	go run ./biometrics/synth/play -photo FILE -out DIR
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"

	"golang.org/x/image/draw"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/synth"
	"github.com/sallyport/sallyport/biometrics/worker"
)

func main() {
	photo := flag.String("photo", "", "picture of one face, of 150 pixels at least")
	out := flag.String("out", "", "folder to fill")
	program := flag.String("worker", ".run/bin/sallyport-face", "the face worker")
	models := flag.String("models", ".run/models", "folder of the face models, with 68 landmarks")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *photo, *out, *program, *models)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, photo, out, program, models string) error {
	if photo == "" || out == "" {
		return errors.New("-photo and -out are needed")
	}
	p, err := open(ctx, photo, program, models)
	if err != nil {
		return fmt.Errorf("%s: %w", photo, err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for prompt, pose := range map[biometrics.Prompt]synth.Look{
		biometrics.PromptStraight: {},
		biometrics.PromptLeft:     {Yaw: 0.5},
		biometrics.PromptRight:    {Yaw: -0.5},
		biometrics.PromptBlink:    {Shut: 1},
		biometrics.PromptMouth:    {Open: 1},
	} {
		dir := filepath.Join(out, string(prompt))
		err := os.MkdirAll(dir, 0o755)
		if err != nil {
			return err
		}
		n := frames
		if prompt == biometrics.PromptStraight {
			n = stillFrames
		}
		for i := range n {
			err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), frame(p, pose, i, r), 0o644)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// A loop is four seconds: rest, half a second to the pose, most of it there, back.
// Straight is ten, enough for a whole capture.
const (
	frames      = 40
	moving      = 6
	held        = 28
	stillFrames = 100
)

// frame is one of a loop.
func frame(p *synth.Photo, pose synth.Look, i int, r *rand.Rand) []byte {
	k := min(float64(i)/moving, float64(2*moving+held-i)/moving, 1)
	k = max(k, 0)
	t := 2 * math.Pi * float64(i) / frames
	look := synth.Look{Yaw: k*pose.Yaw + 0.02*math.Sin(t), Pitch: 0.02 * math.Sin(2*t), Open: k * pose.Open}
	if pose.Shut > 0 && k == 1 {
		look.Shut = 1
	}
	place := synth.Place{X: 3 * math.Sin(t), Y: 2 * math.Sin(2*t), Near: 0.01 * math.Sin(t)}
	small := p.Express(look).Render(synth.Skull{Relief: 1}, look, place)
	large := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.CatmullRom.Scale(large, large.Rect, small, small.Rect, draw.Src, nil)
	return synth.DefaultSensor.Shoot(large, r)
}

// open finds the one face of a picture.
func open(ctx context.Context, path, program, models string) (*synth.Photo, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	gate, err := biometrics.NewGate(biometrics.DefaultGateConfig())
	if err != nil {
		return nil, err
	}
	frame, err := gate.Open(ctx, data)
	if err != nil {
		return nil, err
	}
	ready := make(chan worker.Event, 10)
	pool, err := worker.New(worker.Config{Command: []string{program, "-models", models}, Workers: 1, Observe: func(e worker.Event) {
		select {
		case ready <- e:
		default:
		}
	}})
	if err != nil {
		return nil, err
	}
	defer pool.Stop()
	pool.Start(ctx)
	select {
	case e := <-ready:
		if e.Kind != worker.EventReady {
			return nil, fmt.Errorf("face worker: %s", e.Reason)
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	seen, err := pool.Analyze(ctx, []biometrics.Frame{frame})
	if err != nil {
		return nil, err
	}
	if len(seen[0].Faces) != 1 {
		return nil, fmt.Errorf("%d faces, want one", len(seen[0].Faces))
	}
	return synth.NewPhoto(frame.Pixels(), seen[0].Faces[0].Landmarks)
}
