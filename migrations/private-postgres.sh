#!/bin/sh
# A Postgres cluster of this checkout's own, on a Unix socket alone: for `make run` and `make test`.
#   private-postgres.sh start DIR    starts it (and makes it the first time), prints its URL
#   private-postgres.sh fresh DIR NAME   starts it, makes the database NAME empty, prints its URL
#   private-postgres.sh stop DIR     stops it
# Works as root (the server then runs as user postgres, for initdb refuses root) and as any other user.
set -eu

command=${1:?start, fresh or stop}
wanted=${2:?a folder for the cluster}

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "private-postgres: the package postgresql is not installed" >&2; exit 1; }

mkdir -p "$wanted"
dir=$(cd "$wanted" && pwd -P)
short=/var/tmp/sallyport-$(printf '%s' "$dir" | sha256sum | cut -c1-12)

as_server() { "$@"; }
if [ "$(id -u)" = 0 ]; then
    as_server() { runuser -u postgres -- "$@"; }
    # A checkout below a 0700 home is out of reach for user postgres.
    if ! runuser -u postgres -- test -x "$dir" 2>/dev/null; then
        dir=$short
        mkdir -p "$dir"
    fi
    chown postgres "$dir"
fi
data=$dir/data
# A socket's path has at most 107 bytes, of which ".s.PGSQL.5432" takes 14.
socket=$dir
[ ${#socket} -le 90 ] || { socket=$short; mkdir -p "$socket"; [ "$(id -u)" != 0 ] || chown postgres "$socket"; }
chmod 0700 "$dir" "$socket"

# The server must not hold the caller's folder, which its user may not even enter.
cd /
running() { as_server "$bin/pg_ctl" -D "$data" status >/dev/null 2>&1; }

start() {
    if ! as_server test -f "$data/PG_VERSION"; then
        as_server "$bin/initdb" -D "$data" -U app --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null
    fi
    if ! running; then
        as_server "$bin/pg_ctl" -D "$data" -w -s -l "$dir/log" -o "-c listen_addresses='' -c unix_socket_directories='$socket' \
            -c unix_socket_permissions=0700 -c max_connections=200 ${SALLYPORT_POSTGRES_OPTIONS:-}" start >&2 ||
            { as_server tail -n 20 "$dir/log" >&2; exit 1; }
    fi
    as_server "$bin/psql" -h "$socket" -U app -d postgres -Atqc "SELECT 1 FROM pg_database WHERE datname = 'app'" | grep -q 1 ||
        as_server "$bin/createdb" -h "$socket" -U app app
}

case $command in
start)
    start
    echo "postgres://app@/app?host=$socket&sslmode=disable"
    ;;
fresh)
    name=${3:?a name for the database}
    start
    as_server "$bin/dropdb" -h "$socket" -U app --if-exists --force "$name" 2>/dev/null
    as_server "$bin/createdb" -h "$socket" -U app "$name"
    echo "postgres://app@/$name?host=$socket&sslmode=disable"
    ;;
stop)
    if running; then as_server "$bin/pg_ctl" -D "$data" -w -s -m fast stop; fi
    ;;
*)
    echo "private-postgres: start, fresh or stop, not $command" >&2
    exit 2
    ;;
esac
