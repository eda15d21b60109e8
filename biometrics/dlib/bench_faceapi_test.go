//go:build dlib

package dlib

import (
	"bufio"
	"encoding/json"
	"flag"
	"image"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var faceAPI = flag.String("face-api", "", "folder in which npm installed face-api; its sides are left out without it")

// faceAPISides are face-api with its tiny and with its SSD detector, each on one
// frame of decoded pixels. Their processor time is that of Node.
func faceAPISides(b *testing.B, size image.Point, pixels *image.RGBA) []*side {
	b.Helper()
	if *faceAPI == "" {
		return nil
	}
	rgb := make([]byte, 0, 3*size.X*size.Y)
	for i := 0; i < len(pixels.Pix); i += 4 {
		rgb = append(rgb, pixels.Pix[i:i+3]...)
	}
	path := filepath.Join(b.TempDir(), "pixels.rgb")
	err := os.WriteFile(path, rgb, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	node := exec.CommandContext(b.Context(), "node", "faceapi.mjs", *faceAPI)
	node.Stderr = os.Stderr
	stdin, err := node.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := node.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	err = node.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = node.Wait() // killed at the end of the benchmark, if not gone by then
	})
	answers := bufio.NewReader(stdout)
	hello, err := answers.ReadString('\n')
	if err != nil {
		b.Fatalf("face-api did not start: %v", err)
	}
	b.Logf("face-api: %s", hello)
	look := func(detector string) func() {
		request, err := json.Marshal(map[string]any{"rgb": path, "width": size.X, "height": size.Y, "detector": detector})
		if err != nil {
			b.Fatal(err)
		}
		return func() {
			_, err := io.WriteString(stdin, string(request)+"\n")
			if err != nil {
				b.Fatal(err)
			}
			line, err := answers.ReadBytes('\n')
			if err != nil {
				b.Fatal(err)
			}
			var answer struct{ Faces int }
			err = json.Unmarshal(line, &answer)
			if err != nil || answer.Faces != 1 {
				b.Fatalf("face-api with its %s detector: %s %v", detector, line, err)
			}
		}
	}
	var sides []*side
	for _, detector := range []string{"tiny", "ssd"} {
		s := &side{name: "face-api " + detector, frames: 1, pids: []int{node.Process.Pid}, run: look(detector)}
		s.run() // compiles its kernels
		sides = append(sides, s)
	}
	return sides
}
