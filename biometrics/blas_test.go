package biometrics

import "testing"

func TestBLASOf(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/usr/lib/x86_64-linux-gnu/openblas-pthread/libblas.so.3":            BLASOpen,
		"/usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblasp-r0.3.21.so": BLASOpen,
		"/usr/lib/aarch64-linux-gnu/atlas/libblas.so.3.10.3":                 BLASAtlas,
		"/usr/lib/x86_64-linux-gnu/libatlas.so.3.10.3":                       BLASAtlas,
		"/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0":                   BLASReference,
		"/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so.2":                    "/opt/intel/oneapi/mkl/latest/lib/libmkl_rt.so.2",
	} {
		if got := BLASOf(path, 0).Name; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for want, b := range map[string]BLAS{
		"reference":           {Name: BLASReference},
		"openblas, 1 thread":  {Name: BLASOpen, Threads: 1},
		"openblas, 2 threads": {Name: BLASOpen, Threads: 2},
	} {
		if b.String() != want {
			t.Errorf("%+v reads %q, want %q", b, b.String(), want)
		}
	}
}
