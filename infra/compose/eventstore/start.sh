#!/bin/sh
# EventStoreDB takes the passwords of its users from the environment alone, and only at its first start: they come from files here.
set -eu
EVENTSTORE_DEFAULT_ADMIN_PASSWORD="$(cat /run/secrets/eventstore_admin_password)"
EVENTSTORE_DEFAULT_OPS_PASSWORD="$(cat /run/secrets/eventstore_ops_password)"
export EVENTSTORE_DEFAULT_ADMIN_PASSWORD EVENTSTORE_DEFAULT_OPS_PASSWORD

# Its name is not the same in all releases.
for program in /opt/eventstore/eventstored /opt/eventstore/EventStore.ClusterNode; do
  if [ -x "$program" ]; then exec "$program"; fi
done
echo "there is no EventStoreDB in this image" >&2
exit 1
