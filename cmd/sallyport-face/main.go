//go:build dlib

// Command sallyport-face is the face worker: it loads the models, says so on
// standard output, and answers each picture on standard input with the faces in
// it, until its input ends. `sallyport serve` starts it; see package
// biometrics/wire for what the two say.
//
// It reads no environment, opens no file but the models, writes none, and knows
// nobody's name. On Linux it lets others go first and can't take more memory than
// it is allowed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/sallyport/sallyport/biometrics"
	"github.com/sallyport/sallyport/biometrics/dlib"
	"github.com/sallyport/sallyport/biometrics/wire"
)

func main() {
	// A crash report is read by the last words it leaves on stderr: its head, not
	// the stacks of a Go program that was inside native code.
	debug.SetTraceback("none")
	// One thread does all native work: the C library keeps an arena for each thread
	// that ever allocated.
	runtime.LockOSThread()
	models := flag.String("models", ".run/models", "folder of the three model files")
	detector := flag.String("detector", biometrics.DetectorHOG, "hog or cnn")
	selfcheck := flag.Bool("selfcheck", false, "load the models, say which they are and what BLAS they run on, and exit")
	nice := flag.Int("nice", 0, "priority, from 0 to 19: a higher number lets others go first")
	memory := flag.Uint64("memory", 0, "MiB of private memory that it may take; 0 is no limit")
	flag.Parse()
	err := confine(*nice, *memory)
	if err == nil {
		err = run(*models, *detector, *selfcheck)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// confine takes away what the worker does not need, before it has loaded anything.
func confine(nice int, memory uint64) error {
	if nice < 0 || nice > 19 {
		return fmt.Errorf("nice %d is not from 0 to 19", nice)
	}
	// First, while its own entries below /proc are still this process's to write.
	err := yieldTo(nice)
	if err == nil {
		err = keepMemoryPrivate()
	}
	if err == nil && memory > 0 {
		err = capMemory(memory << 20)
	}
	return err
}

func run(models, detector string, selfcheck bool) error {
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	engine, err := dlib.Open(models, detector)
	if err != nil {
		return err
	}
	defer engine.Close()
	hello := wire.Hello{Model: engine.Status().Model, BLAS: dlib.LoadedBLAS()}
	if selfcheck {
		out := json.NewEncoder(os.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(hello)
	}
	stdout, err := claimStdout()
	if err != nil {
		return err
	}
	err = wire.Serve(os.Stdin, stdout, hello, engine.Look)
	if err != nil {
		return fmt.Errorf("face worker: %w", err)
	}
	return nil
}
