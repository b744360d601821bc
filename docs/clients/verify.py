"""Verifies a delivery: its body on stdin, its headers in WEBHOOK_ID, WEBHOOK_TIMESTAMP and WEBHOOK_SIGNATURE. Python 3.8, nothing else."""

import base64
import hashlib
import hmac
import os
import sys
import time

TOLERANCE = 300


def verify(secret, webhook_id, timestamp, signatures, body):
    """Raises ValueError where the body (bytes, as they came) was not signed with the secret in the last five minutes."""
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        raise ValueError("it was signed too long ago, or in the future")
    key = base64.b64decode(secret[len("whsec_") :])
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # One of them is enough: amid a rotation there are two.
    if not any(hmac.compare_digest(expected, signature) for signature in signatures.split(" ")):
        raise ValueError("no signature matches")


if __name__ == "__main__":
    names = ("WEBHOOK_ID", "WEBHOOK_TIMESTAMP", "WEBHOOK_SIGNATURE")
    try:
        verify(os.environ["SIGNING_SECRET"], *(os.environ[name] for name in names), sys.stdin.buffer.read())
    except ValueError as error:
        sys.exit(f"refused: {error}")
    print(f"verified {os.environ['WEBHOOK_ID']}")
