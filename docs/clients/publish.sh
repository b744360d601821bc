#!/usr/bin/env bash
# Publishes an event with curl. However often it is run with the same IDEMPOTENCY_KEY, there is one event.
set -euo pipefail

: "${IDEMPOTENCY_KEY:=$(openssl rand -hex 16)}"

# --retry repeats what got no answer, and 408, 429 and 5xx, and keeps to Retry-After.
curl -sS --fail-with-body --retry 4 --retry-connrefused \
  "$BASE_URL/v1/channels/$CHANNEL/events" \
  -u "$PUBLISHER_KEY:" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: $IDEMPOTENCY_KEY" \
  -d '{ "event_name": "request.created", "data": { "request": 123 } }'
echo
