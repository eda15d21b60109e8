#!/bin/sh
# Serves this checkout on http://localhost:8080 with a Postgres of its own. `make run` builds first, then calls this.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .run

server=
database=
stop() {
    trap - INT TERM EXIT
    [ -z "$server" ] || { kill -TERM "$server" 2>/dev/null || :; wait "$server" 2>/dev/null || :; }
    [ -z "$database" ] || migrations/private-postgres.sh stop .run/postgres
}
# A second Ctrl-C must not leave the database running.
trap 'stop; exit 0' INT TERM
trap stop EXIT

if [ -z "${SALLYPORT_DATABASE_URL:-}${SALLYPORT_DATABASE_URL_FILE:-}" ]; then
    SALLYPORT_DATABASE_URL=$(migrations/private-postgres.sh start .run/postgres)
    database=private
    export SALLYPORT_DATABASE_URL
    echo "database: a private Postgres in .run/postgres"
else
    echo "database: the one of SALLYPORT_DATABASE_URL"
fi

.run/bin/sallyport keys generate --dir .run/keys
if [ -z "${SALLYPORT_KEYS_SEAL:-}${SALLYPORT_KEYS_SEAL_FILE:-}" ]; then export SALLYPORT_KEYS_SEAL_FILE=.run/keys/seal.json; fi
if [ -z "${SALLYPORT_KEYS_DIGEST:-}${SALLYPORT_KEYS_DIGEST_FILE:-}" ]; then export SALLYPORT_KEYS_DIGEST_FILE=.run/keys/digest.key; fi
export SALLYPORT_LISTEN="${SALLYPORT_LISTEN:-127.0.0.1:8080}"
export SALLYPORT_PUBLIC_URL="${SALLYPORT_PUBLIC_URL:-http://localhost:${SALLYPORT_LISTEN##*:}}"
# Without a mail server, what would be sent is shown on this machine, and no address has to be verified.
if [ -z "${SALLYPORT_MAIL_SMTP:-}${SALLYPORT_MAIL_SMTP_FILE:-}" ]; then
    export SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION="${SALLYPORT_ACCOUNTS_EMAIL_VERIFICATION:-off}"
    case $SALLYPORT_PUBLIC_URL in http://localhost*)
        export SALLYPORT_MAIL_VIEWER="${SALLYPORT_MAIL_VIEWER:-127.0.0.1:8025}"
        echo "mail: http://$SALLYPORT_MAIL_VIEWER"
        ;;
    esac
fi
# The sample app of `make chat` is on this machine, and wants to hear who signed out.
if [ -z "${SALLYPORT_CLIENTS_FILE:-}" ]; then
    cmd/sallyport-chat/client.sh .run/chat
    export SALLYPORT_CLIENTS_FILE=.run/chat/clients.yaml SALLYPORT_WEBHOOKS_ALLOW="${SALLYPORT_WEBHOOKS_ALLOW:-127.0.0.0/8,::1/128}"
fi
export SALLYPORT_DEMO="${SALLYPORT_DEMO:-true}"
if [ -z "${SALLYPORT_POLICY_FILE:-}" ]; then
    export SALLYPORT_POLICY_FILE=.run/policy.yaml
    # Written once, for its reader to change; the server takes a change up while it runs.
    [ -f .run/policy.yaml ] || .run/bin/sallyport policy show --defaults >.run/policy.yaml
fi
echo "keys: .run/keys   models: .run/models   policy: $SALLYPORT_POLICY_FILE (change it while this runs)   stop: Ctrl-C"

.run/bin/sallyport serve --migrate &
server=$!
wait "$server" && status=0 || status=$?
server=
exit "$status"
