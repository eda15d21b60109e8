#!/bin/sh
# Writes down, once, the secret of the sample app and the file that makes it a client: client.sh DIR
set -eu
dir=$1
[ ! -f "$dir/clients.yaml" ] || exit 0
mkdir -p "$dir"
(umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$dir/secret")
cat >"$dir/clients.yaml" <<YAML
clients:
  - id: portico
    name: Portico
    first_party: true
    redirect_uris: [http://localhost:8090/callback]
    post_logout_redirect_uris: [http://localhost:8090/]
    backchannel_logout_uri: http://localhost:8090/logout/backchannel
    scopes: [openid, profile]
    roles:
      moderators: [moderator] # sallyport group add moderators NAME
    secret_sha256: [$(sha256sum <"$dir/secret" | cut -d' ' -f1)]
YAML
