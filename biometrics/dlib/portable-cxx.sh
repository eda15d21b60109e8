#!/bin/sh
# A C++ compiler for binaries that leave the machine that builds them: go-face asks
# for -march=native in a place where no flag of ours comes later, so the flag is
# replaced on its way. Use it as CXX=biometrics/dlib/portable-cxx.sh (an absolute
# path, since cgo changes folders). PORTABLE_MARCH is any -march of g++; the default
# needs AVX2, which servers have had since 2013 to 2015. Plain x86-64 costs about
# 5 ms a face more.
set -eu
n=$#
while [ "$n" -gt 0 ]; do
	arg=$1
	shift
	if [ "$arg" = -march=native ]; then
		arg=-march=${PORTABLE_MARCH:-x86-64-v3}
	fi
	set -- "$@" "$arg"
	n=$((n - 1))
done
exec "${REAL_CXX:-g++}" "$@"
