"""All SQL of writing the quarantine: what could not be understood or trusted, whole, once, with its reason."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cloud.db.connect import Connection, as_rows
from cloud.ingest.arrivals import Refusal

LONGEST_REASON = 500  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One reading, or one message, to be held. Without a reading_id the payload itself is the identity."""

    received_at: datetime
    gateway_id: str
    refusal: Refusal
    payload: bytes
    device_id: str | None = None
    reading_id: str | None = None
    session_id: str | None = None
    measured_after: datetime | None = None  # between these two, whatever the device says
    measured_before: datetime | None = None


def hold(connection: Connection, held: Iterable[Held]) -> None:
    """Put into quarantine; what is there already is counted as seen once more."""
    by_reading: dict[str, tuple[Held, int]] = {}
    by_payload: dict[tuple[str, bytes], tuple[Held, int]] = {}
    for one in held:
        # One row a key: an upsert may not touch the same row twice.
        if one.reading_id is not None:
            by_reading[one.reading_id] = (one, by_reading.get(one.reading_id, (one, 0))[1] + 1)
        else:
            key = (one.gateway_id, one.payload)
            by_payload[key] = (one, by_payload.get(key, (one, 0))[1] + 1)
    if by_reading:
        connection.execute(_HOLD_READINGS, (as_rows(_rows(by_reading.values())),))
    if by_payload:
        connection.execute(_HOLD_MESSAGES, (as_rows(_rows(by_payload.values())),))


def _rows(counted: Iterable[tuple[Held, int]]) -> Sequence[dict[str, object]]:
    return [
        {
            "received_at": held.received_at,
            "gateway_id": held.gateway_id,
            "device_id": held.device_id,
            "reading_id": held.reading_id,
            "session_id": held.session_id,
            "reason_code": held.refusal.code,
            # PostgreSQL's text holds no NUL. A sentence may quote a message of any length: the payload has it whole.
            "reason": _shorten(held.refusal.sentence.replace("\0", "�")),
            "payload": "\\x" + held.payload.hex(),
            "payload_sha256": "\\x" + hashlib.sha256(held.payload).hexdigest(),
            "seen": seen,
            "effective_time": held.refusal.measured_at,
            "may_be": held.refusal.may_be,
            "measured_after": held.measured_after,
            "measured_before": held.measured_before,
        }
        for held, seen in counted
    ]


def _shorten(sentence: str) -> str:
    """The beginning of a sentence that nobody would read to its end."""
    return sentence if len(sentence) <= LONGEST_REASON else f"{sentence[:LONGEST_REASON]}…"


_HOLD_READINGS = """
INSERT INTO quarantine AS q (received_at, gateway_id, device_id, reading_id, session_id, reason_code, reason, payload,
                             payload_sha256, seen, effective_time, may_be, measured_after, measured_before)
SELECT received_at, gateway_id, device_id, reading_id, session_id, reason_code, reason, payload, payload_sha256, seen,
       effective_time, ARRAY(SELECT json_array_elements_text(may_be)::timestamptz), measured_after, measured_before
FROM json_to_recordset(%s::json) AS r(received_at timestamptz, gateway_id text, device_id text, reading_id uuid,
                                      session_id uuid, reason_code text, reason text, payload bytea,
                                      payload_sha256 bytea, seen integer, effective_time timestamptz, may_be json,
                                      measured_after timestamptz, measured_before timestamptz)
ORDER BY reading_id
ON CONFLICT (reading_id) WHERE reading_id IS NOT NULL DO UPDATE SET seen = q.seen + excluded.seen
"""

_HOLD_MESSAGES = """
INSERT INTO quarantine AS q (received_at, gateway_id, device_id, reading_id, session_id, reason_code, reason, payload,
                             payload_sha256, seen)
SELECT received_at, gateway_id, device_id, NULL, session_id, reason_code, reason, payload, payload_sha256, seen
FROM json_to_recordset(%s::json) AS r(received_at timestamptz, gateway_id text, device_id text,
                                      session_id uuid, reason_code text, reason text, payload bytea,
                                      payload_sha256 bytea, seen integer)
ORDER BY gateway_id, payload_sha256
ON CONFLICT (gateway_id, payload_sha256) WHERE reading_id IS NULL DO UPDATE SET seen = q.seen + excluded.seen
"""
