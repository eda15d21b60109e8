//go:build dlib

package dlib

/*
#cgo LDFLAGS: -ldl
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

// The file in which a call of BLAS's matrix product ends up.
static const char *blas_file(void) {
	Dl_info info;
	void *product = dlsym(RTLD_DEFAULT, "cblas_sgemm");
	return product && dladdr(product, &info) ? info.dli_fname : NULL;
}

static int openblas_threads(void) {
	int (*threads)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "openblas_get_num_threads");
	return threads ? threads() : 0;
}
*/
import "C"

import (
	"path/filepath"

	"github.com/sallyport/sallyport/biometrics"
)

// LoadedBLAS tells which linear algebra library dlib calls in this process. libdlib
// asks for libblas.so.3, behind which Debian's alternatives put one of several, so
// only the running process knows.
func LoadedBLAS() biometrics.BLAS {
	file := C.GoString(C.blas_file())
	resolved, err := filepath.EvalSymlinks(file)
	if err == nil {
		file = resolved
	}
	blas := biometrics.BLASOf(file, 0)
	// OpenBLAS may be loaded for LAPACK alone: then its threads are not those of the products.
	if blas.Name == biometrics.BLASOpen {
		blas.Threads = int(C.openblas_threads())
	}
	return blas
}
