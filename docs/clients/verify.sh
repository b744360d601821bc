#!/usr/bin/env bash
# Verifies a delivery with openssl: its body on stdin, its headers in WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE.
set -euo pipefail

TOLERANCE=300

refuse() {
  echo "refused: $1" >&2
  exit 1
}

age=$(($(date +%s) - WEBHOOK_TIMESTAMP))
[ "${age#-}" -le "$TOLERANCE" ] || refuse "it was signed too long ago, or in the future"

body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat > "$body"

key=$(printf %s "${SIGNING_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected="v1,$({ printf %s "$WEBHOOK_ID.$WEBHOOK_TIMESTAMP."; cat "$body"; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)"

# One of them is enough: amid a rotation there are two.
for signature in $WEBHOOK_SIGNATURE; do
  if [ "$signature" = "$expected" ]; then
    echo "verified $WEBHOOK_ID"
    exit 0
  fi
done
refuse "no signature matches"
