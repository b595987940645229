"""Signatures of Standard Webhooks (https://www.standardwebhooks.com, version 1): HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)
PREFIX = "whsec_"


class BadSecret(ValueError):
    """Not base64 of at least 24 octets, with or without ``whsec_``."""


def key_of(secret: str) -> bytes:
    """The key that a secret spells. BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret from None
    if len(key) < 24:
        raise BadSecret
    return key


def signed(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a body that is sent at that time."""
    timestamp = str(int(at.timestamp()))
    return {ID: message_id, TIMESTAMP: timestamp, SIGNATURE: f"v1,{_signature(key, message_id, timestamp, body)}"}


def is_genuine(key: bytes, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Whether the holder of the key sent this body, no longer than TOLERANCE ago (or ahead: clocks differ)."""
    message_id, timestamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 12):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    expected = _signature(key, message_id, timestamp, body).encode()
    given = [word.partition(",") for word in headers.get(SIGNATURE, "").split()]
    return any(version == "v1" and hmac.compare_digest(mac.encode(), expected) for version, _, mac in given)


def _signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    content = b".".join((message_id.encode(), timestamp.encode(), body))
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()
