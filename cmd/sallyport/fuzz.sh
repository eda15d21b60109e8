#!/bin/sh
# Fuzzes every target of the repository for a time each, three at a time, for much of that is waiting for a compiler:
#   cmd/sallyport/fuzz.sh 10s
set -eu
if [ $# -eq 1 ]; then
	for package in $(go list ./...); do
		go test -vet=off -list '^Fuzz' "$package" | grep '^Fuzz' | sed "s|^|$package |" || :
	done | xargs -P 3 -L 1 "$0" "$1"
	exit
fi

time=$1 package=$2 target=$3
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Go 1.26 may fail a timed run at its end without a cause (golang/go#75804): it says
# so in these words and has no failing input. That alone is tried again.
for _ in 1 2 3; do
	if go test -vet=off -run xxx -parallel 1 -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1s "$package" >"$log" 2>&1; then
		echo "fuzz $package $target: $(grep -o 'execs: [0-9]*' "$log" | tail -n 1)"
		exit
	fi
	if grep -q 'Failing input' "$log" || ! grep -q 'context deadline exceeded' "$log"; then
		break
	fi
done
cat "$log"
exit 255 # xargs starts no other
