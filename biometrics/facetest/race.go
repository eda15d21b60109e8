//go:build race

package facetest

// Race tells that the race detector runs, under which arithmetic over thousands of
// descriptors takes fifteen times as long and shows nothing more.
const Race = true
