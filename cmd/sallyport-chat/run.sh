#!/bin/sh
# Serves the sample app on http://localhost:8090. `make run` has to be there: it knows the app, and lends its Postgres.
set -eu
cd "$(dirname "$0")/../.."
[ -f .run/chat/secret ] || { echo "start \`make run\` first, in another terminal: it makes the app's secret" >&2; exit 1; }
export CHAT_CLIENT_ID=portico
CHAT_CLIENT_SECRET=$(cat .run/chat/secret)
export CHAT_CLIENT_SECRET
CHAT_DATABASE_URL=${CHAT_DATABASE_URL:-${SALLYPORT_DATABASE_URL:-$(migrations/private-postgres.sh start .run/postgres)}}
export CHAT_DATABASE_URL
exec .run/bin/sallyport-chat
