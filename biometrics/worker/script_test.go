package worker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/biometricstest"
	"github.com/sallyport/sallyport/biometrics/wire"
)

// The test binary is its own worker: started as "play ROLE [FILE]" it plays one,
// since a worker has no environment to be told by. How it starts is its role; what
// it does with a frame is written in the picture, as the person it shows.

// What a person in a picture makes the worker do. Everybody below is looked at.
const (
	actSegfault = 40 + iota
	actKill
	actExit
	actHang
	actGarbage
	actCut
	actWrongID
	actHello
	actNotANumber
	actTwice
	actRefuse
	actEnviron
	actGrow
	actChatter
)

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "play" {
		debug.SetTraceback("none") // as sallyport-face does
		play(os.Args[2:])
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(args []string) {
	name := "scripted"
	switch args[0] {
	case "dies":
		fmt.Fprintln(os.Stderr, "face models: no such directory")
		os.Exit(1)
	case "dies-without": // until there is such a file
		_, err := os.Stat(args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "waits-for": // somebody who opens the fifo
		_, err := os.ReadFile(args[1])
		if err != nil {
			os.Exit(1)
		}
	case "diary": // on stderr, of whom it sees, once somebody opens the fifo
		_, err := os.ReadFile(args[1])
		if err != nil {
			os.Exit(1)
		}
		diary = true
	case "mute":
		hang()
	case "model": // is what the file says
		text, err := os.ReadFile(args[1])
		if err != nil {
			os.Exit(1)
		}
		name = string(text)
	case "server": // has workers of its own
		playServer()
	}
	hello, err := wire.EncodeHello(wire.Hello{Model: scriptedModel(name), BLAS: scriptedBLAS})
	if err != nil {
		panic(err)
	}
	say(wire.Message{Type: wire.TypeHello, Payload: hello})
	for {
		request, err := wire.Read(os.Stdin, wire.TypeAnalyze)
		if err == io.EOF {
			return
		}
		if err != nil {
			panic(err)
		}
		act(request)
	}
}

var scriptedBLAS = biometrics.BLAS{Name: biometrics.BLASOpen, Threads: 1}

func scriptedModel(name string) biometrics.Model {
	sum := sha256.Sum256([]byte(name))
	digest := hex.EncodeToString(sum[:])
	return biometrics.Model{
		Name: name, Detector: biometrics.DetectorHOG,
		Landmarks: 68, DescriptorSHA256: digest, LandmarksSHA256: digest, DetectorSHA256: digest,
	}
}

var (
	grown [][]byte
	diary bool
)

func act(request wire.Message) {
	picture, err := wire.DecodeFrame(request.Payload)
	if err != nil {
		panic(err)
	}
	faces := biometricstest.Faces(picture)
	if diary {
		fmt.Fprintln(os.Stderr, "saw", personIn(faces))
	}
	answer := wire.Message{Type: wire.TypeFaces, ID: request.ID}
	answer.Payload, err = wire.EncodeFaces(faces)
	if err != nil {
		panic(err)
	}
	switch personIn(faces) {
	case actSegfault:
		signal(syscall.SIGSEGV)
	case actKill:
		signal(syscall.SIGKILL)
	case actExit:
		fmt.Fprintln(os.Stderr, "terminate called after throwing an instance of 'std::bad_alloc'")
		os.Exit(3)
	case actHang:
		hang()
	case actGarbage:
		fmt.Println("OpenBLAS : Program is Terminated. Because you tried to allocate too many memory regions.")
		return
	case actCut:
		answer.Payload = answer.Payload[:len(answer.Payload)-1]
	case actWrongID:
		answer.ID++
	case actHello:
		answer = wire.Message{Type: wire.TypeHello, Payload: []byte("{}")}
	case actNotANumber:
		copy(answer.Payload[len(answer.Payload)-4:], "\x00\x00\xc0\x7f")
	case actTwice:
		say(answer)
	case actRefuse:
		answer = wire.Message{Type: wire.TypeFailure, ID: request.ID, Payload: []byte("no picture")}
	case actEnviron:
		text := fmt.Sprint(strings.Join(os.Environ(), ","), " leads its group: ", syscall.Getpgrp() == os.Getpid())
		answer = wire.Message{Type: wire.TypeFailure, ID: request.ID, Payload: []byte(text)}
	case actGrow:
		grown = append(grown, make([]byte, 96<<20))
		for i := 0; i < len(grown[len(grown)-1]); i += 4096 { // a page each: the race detector looks at every write
			grown[len(grown)-1][i] = 1
		}
	case actChatter:
		fmt.Fprint(os.Stderr, strings.Repeat("a line of nothing much\n", 50_000))
	}
	say(answer)
}

// personIn is who stands first in a picture of shot 0, or -1.
func personIn(faces []biometrics.Face) int {
	if len(faces) == 0 {
		return -1
	}
	person, known := people()[faces[0].Descriptor]
	if !known {
		return -1
	}
	return person
}

var people = sync.OnceValue(func() map[biometrics.Descriptor]int {
	out := make(map[biometrics.Descriptor]int)
	for person := range 64 {
		out[biometricstest.Descriptor(person, 0)] = person
	}
	return out
})

// hang does nothing more. The runtime would notice a select without cases.
func hang() { time.Sleep(time.Hour) }

func say(m wire.Message) {
	err := wire.Write(os.Stdout, m)
	if err != nil {
		panic(err)
	}
}

// signal sends itself a signal, as a fault in native code does.
func signal(s syscall.Signal) {
	err := syscall.Kill(os.Getpid(), s)
	if err != nil {
		panic(errors.New("could not signal itself"))
	}
	hang()
}

// playServer starts a worker that does not mind the end of its input, says its
// process id, and waits to be killed.
func playServer() {
	pids := make(chan int, 1)
	pool, err := New(Config{
		Command: []string{os.Args[0], "play", "normal"},
		Workers: 1,
		Observe: func(e Event) { pids <- e.PID },
	})
	if err != nil {
		panic(err)
	}
	pool.Start(context.Background())
	fmt.Println(<-pids)
	hang()
}
