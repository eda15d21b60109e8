//go:build !dlib

// Command sallyport-face is the face worker. This build of it has no face engine:
// it was made without the tag dlib.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "sallyport-face was built without dlib; build it with: go build -tags dlib ./cmd/sallyport-face")
	os.Exit(2)
}
