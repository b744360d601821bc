#!/bin/sh
# Makes the secrets of compose.yaml and one-node.yaml in ./secrets, once: it overwrites nothing.
#
# Compose mounts the file of a secret as it is, with its owner and mode, into containers that run under users of their own, so the files can be read by
# all. What keeps other users of this machine out is the directory.
set -eu
umask 077
dir="$(dirname "$0")/secrets"

if [ -e "$dir" ]; then
  echo "$dir is there already: this overwrites nothing" >&2
  exit 1
fi

# 32 random bytes in hex.
random() {
  od -An -v -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# NAME CONTENT
put() {
  printf '%s\n' "$2" > "$draft/$1"
  chmod 0444 "$draft/$1"
}

draft="$dir.draft-$$"
trap 'rm -rf "$draft"' EXIT
mkdir "$draft"
eventstore_admin="$(random)"
nats="$(random)"
put master_secret "$(random)"
put admin_key "$(random)"
put eventstore_admin_password "$eventstore_admin"
put eventstore_ops_password "$(random)"
put eventstore_url "esdb://admin:$eventstore_admin@eventstore-1:2113,eventstore-2:2113,eventstore-3:2113?tls=true&tlsCaFile=/authorities/eventstore/ca.crt"
put nats_password "$nats"
put nats_accounts.conf "authorization { users: [{ user: webhooks, password: \"$nats\" }] }"
put grafana_admin_password "$(random)"
mv "$draft" "$dir"
echo "made $dir: keep a copy of master_secret, no key works without it"
