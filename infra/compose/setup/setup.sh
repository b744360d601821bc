#!/bin/sh
# Makes what EventStoreDB and NATS speak TLS with, where it is missing: an authority for each, and a certificate for each server. What one authority has
# signed the other's servers do not trust: members of a cluster know each other by nothing else. RENEW=yes makes the servers' certificates anew.
set -eu
umask 022
OWNER=1000:1000
AUTHORITY_DAYS=3650
SERVER_DAYS=825

# AUTHORITY
make_authority() {
  keys="/authority-keys/$1"
  [ -e "$keys/ca.crt" ] || es-gencert-cli create-ca -days "$AUTHORITY_DAYS" -out "$keys"
  mkdir -p "/authorities/$1"
  cp "$keys/ca.crt" "/authorities/$1/ca.crt"
  chmod 0444 "/authorities/$1/ca.crt"
}

# AUTHORITY SERVER
make_certificate() {
  dir="/certificates/$1/$2"
  if [ -e "$dir/node.crt" ] && [ "$RENEW" != yes ]; then return; fi
  rm -rf /tmp/new
  es-gencert-cli create-node -days "$SERVER_DAYS" -out /tmp/new -ip-addresses 127.0.0.1 -dns-names "localhost,$2" \
    -ca-certificate "/authority-keys/$1/ca.crt" -ca-key "/authority-keys/$1/ca.key"
  mkdir -p "$dir"
  put /tmp/new/node.key "$dir/node.key" 0400
  put /tmp/new/node.crt "$dir/node.crt" 0444
}

# FROM TO MODE: what is in place is always whole, and the server's to read.
put() {
  cp "$1" "$2.draft"
  chmod "$3" "$2.draft"
  chown "$OWNER" "$2.draft"
  mv -f "$2.draft" "$2"
}

make_authority eventstore
make_authority nats
for number in 1 2 3; do
  make_certificate eventstore "eventstore-$number"
  make_certificate nats "nats-$number"
  chown "$OWNER" "/data/nats-$number"
done
