"""Publishes an event. However often it is run with the same IDEMPOTENCY_KEY, there is one event. Python 3.8, nothing else."""

import base64
import json
import os
import time
import urllib.error
import urllib.request
import uuid

RETRIES = 4


def publish(base_url, channel, key, event, idempotency_key):
    """Publishes an event, and repeats that where it may have got lost. Returns the event with its id."""
    request = urllib.request.Request(
        f"{base_url}/v1/channels/{channel}/events",
        data=json.dumps(event).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        },
    )
    for repeated in range(RETRIES + 1):
        wait = 0.25 * 2**repeated
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            is_passing = error.code in (408, 429) or error.code >= 500
            if not is_passing or repeated == RETRIES:
                raise RuntimeError(error.read().decode()) from error
            wait = float(error.headers.get("Retry-After", wait))
        except OSError:
            if repeated == RETRIES:
                raise
        time.sleep(wait)


if __name__ == "__main__":
    published = publish(
        os.environ["BASE_URL"],
        os.environ["CHANNEL"],
        os.environ["PUBLISHER_KEY"],
        {"event_name": "request.created", "data": {"request": 123}},
        os.environ.get("IDEMPOTENCY_KEY") or str(uuid.uuid4()),
    )
    print(json.dumps(published))
