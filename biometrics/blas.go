package biometrics

import (
	"fmt"
	"path/filepath"
	"strings"
)

// BLAS is the linear algebra library that an engine's matrix products run on. It
// decides how fast an engine is and not what it sees, so it is no part of a [Model].
type BLAS struct {
	Name    string `json:"name"`    // one of those below, or the path of a library we do not know
	Threads int    `json:"threads"` // that it takes for one product; 0 where it can't say
}

// Names of BLAS libraries. Measured by docs/face-speed.md on one face of 640x480:
// the reference takes about four times as long as OpenBLAS.
const (
	BLASOpen      = "openblas"
	BLASAtlas     = "atlas"
	BLASReference = "reference"
)

// BLASOf names the library at path, links resolved, as Debian's packages place it.
func BLASOf(path string, threads int) BLAS {
	b := BLAS{Name: path, Threads: threads}
	folder := filepath.Base(filepath.Dir(path))
	switch {
	case strings.Contains(path, "openblas"):
		b.Name = BLASOpen
	case folder == "atlas", strings.HasPrefix(filepath.Base(path), "libatlas"):
		b.Name = BLASAtlas
	case folder == "blas":
		b.Name = BLASReference
	}
	return b
}

// String names the library and its threads.
func (b BLAS) String() string {
	switch b.Threads {
	case 0:
		return b.Name
	case 1:
		return b.Name + ", 1 thread"
	}
	return fmt.Sprintf("%s, %d threads", b.Name, b.Threads)
}
