// Package facetest finds what tests need and the repository does not carry:
// photos, vectors and models. Where something is missing a test is skipped with one
// clear line, or fails where SALLYPORT_REQUIRE_TESTDATA is 1.
package facetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder of shared test data: SALLYPORT_TESTDATA, or ../shared
// beside the checkout.
func Dir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SALLYPORT_TESTDATA")
	if dir == "" {
		dir = filepath.Join(Root(t), "..", "shared")
	}
	return present(t, dir, "set SALLYPORT_TESTDATA to the folder of test data")
}

// Models returns the folder of prepared models: SALLYPORT_MODELS, or .run/models
// of the checkout.
func Models(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SALLYPORT_MODELS")
	if dir == "" {
		dir = filepath.Join(Root(t), ".run", "models")
	}
	return present(t, dir, "run make models")
}

// Samples returns the folder of the photos that come with the models' npm package.
func Samples(t testing.TB) string {
	t.Helper()
	return present(t, filepath.Join(Models(t), "samples"), "run make models where npm works")
}

// Worker returns the program of the face worker: SALLYPORT_FACE_WORKER, or
// .run/bin/sallyport-face of the checkout.
func Worker(t testing.TB) string {
	t.Helper()
	path := os.Getenv("SALLYPORT_FACE_WORKER")
	if path == "" {
		path = filepath.Join(Root(t), ".run", "bin", "sallyport-face")
	}
	return present(t, path, "build the face worker")
}

// Root returns the root of the checkout: the folder of go.mod, at or above the
// working directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod at or above the working directory")
		}
		dir = parent
	}
}

func present(t testing.TB, path, hint string) string {
	t.Helper()
	_, err := os.Stat(path)
	if err == nil {
		return path
	}
	if os.Getenv("SALLYPORT_REQUIRE_TESTDATA") == "1" {
		t.Fatalf("%v: %s", err, hint)
	}
	t.Skipf("%v: %s", err, hint)
	return ""
}
