//go:build dlib && !linux

package main

import "os"

// keepMemoryPrivate is Linux only.
func keepMemoryPrivate() error { return nil }

// claimStdout hands out standard output as it is.
func claimStdout() (*os.File, error) { return os.Stdout, nil }
