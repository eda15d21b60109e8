//go:build dlib && !linux

package main

import "os"

// keepMemoryPrivate is Linux only.
func keepMemoryPrivate() error { return nil }

// capMemory is Linux only: elsewhere growth is not bounded.
func capMemory(uint64) error { return nil }

// yieldTo is Linux only.
func yieldTo(int) error { return nil }

// claimStdout hands out standard output as it is.
func claimStdout() (*os.File, error) { return os.Stdout, nil }
