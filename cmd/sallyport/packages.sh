#!/bin/sh
# Installs the Debian packages that are missing and says which.
#   packages.sh NAME...
set -eu

missing=
for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

echo "installing Debian packages:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
# shellcheck disable=SC2086 # one word a package
install() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1; }
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! install; then
    # An image that was never updated knows no packages.
    $sudo apt-get update -qq
    install || { tail -n 20 "$log" >&2; exit 1; }
fi
