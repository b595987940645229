"""What a person said of a reading that was held back, taken up: its payload goes once more through the very way in.

A row of ``reading_release`` is the request; the console writes it, and can write no reading. Decoded, dated,
attributed, stored and assessed as any other, in the transaction that settles the row: killed anywhere, it is as if
nobody had begun, and the next look does it. What the wrong-person guard kept was dated when it came, and keeps that
time: whose it is changes nothing of when it was, and a refusal would leave an answered question that counts nowhere.
The ledger says whether it is still new. The observation's ``received_at``
is the time of the release: from then on it is the patient's, and what it says is judged as late as that makes it. When
it came is in the ledger.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import psycopg

from cloud.db.connect import Connection
from cloud.devices import store as devices
from cloud.devices.models import Assignment
from cloud.devices.tallies import Tally, update_devices
from cloud.faults import placed
from cloud.ingest import handle, ledger
from cloud.ingest.arrivals import Decoded, ReasonCode, Refusal, Undecoded, again
from cloud.ingest.attribution import attribute, attribute_stated
from cloud.observations.models import Observation
from cloud.zones.store import zones_of
from device_drivers.readings import Sample
from device_drivers.timestamps import TimeQuality

log = logging.getLogger(__name__)

# At one look; the next one comes at once.
MOST = 50
# What ends it in the middle (a defect of ours) holds no other release up, and is tried again.
TRIED_AGAIN_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a person said, and what is kept of the reading.

    ``stated``: when they say that it was measured; ``dated``: when it was, as judged when it came, and how well.
    """

    release_id: UUID
    reading_id: UUID
    patient_id: UUID
    stated: datetime | None
    dated: tuple[datetime, TimeQuality] | None
    said_by: UUID
    payload: bytes
    gateway_id: str
    received_at: datetime


class Releases:
    """Takes them up, one by one; remembers which of them failed here, so that one cannot hold up the others."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._failed: dict[UUID, datetime] = {}

    def settle(self, connection: Connection) -> int:
        """All that wait (on an autocommit connection), at most MOST; how many were settled.

        psycopg.OperationalError where the database is away or busy: the one at hand is as it was.
        """
        for settled in range(MOST):
            if not self._settle_one(connection):
                return settled
        return MOST

    def _settle_one(self, connection: Connection) -> bool:
        """False where none waits."""
        at = self._now()
        self._failed = {i: until for i, until in self._failed.items() if until > at}
        release: Release | None = None
        try:
            with connection.transaction():
                release = _next(connection, [*self._failed])
                if release is not None:
                    _settle(connection, release, at)
        except psycopg.OperationalError:
            raise
        except Exception as error:
            if release is None:
                raise
            # Never the message: it may quote a patient's data.
            log.error("release %s was not settled (%s)", release.release_id, placed(error))
            self._failed[release.release_id] = at + TRIED_AGAIN_AFTER
        return release is not None


def _settle(connection: Connection, release: Release, at: datetime) -> None:
    decoded = again(release.payload, release.reading_id.hex, release.gateway_id, release.received_at)
    judged = _judge(connection, release, decoded)
    if isinstance(judged, Refusal):
        _refused(connection, release, judged, at)
        return
    device_id = judged.reading.device.device_id
    if ledger.release(connection, device_id, release.reading_id.hex):
        handle.file(connection, [msgspec.structs.replace(judged, received_at=at)], at)
        tally = Tally()
        if judged.reading.sample is Sample.PATIENT:
            tally.measured(judged.effective_time)
        update_devices(connection, (), {device_id: tally})
    _stored(connection, release, at)


def _judge(connection: Connection, release: Release, decoded: Decoded | Undecoded) -> Observation | Refusal:
    if isinstance(decoded, Undecoded):
        return decoded.refusal
    [item] = decoded.items
    if item.reading is None:
        return item.refusal or Refusal(ReasonCode.UNDECODABLE, "no reading could be made out")
    assignment = _by_their_word(connection, release, item.reading.device.device_id, item.reading.user_index)
    if release.dated is not None:
        time, quality = release.dated
        return attribute_stated(item.reading, time, release.received_at, assignment, quality)
    if release.stated is not None:
        return attribute_stated(item.reading, release.stated, release.received_at, assignment)
    evidence = replace(decoded.evidence, read_at=item.wire.read_at, went_back_to=item.reading.clock_went_back_to)
    return attribute(item.reading, decoded.coincident, release.received_at, [assignment], evidence)


def _by_their_word(connection: Connection, release: Release, device_id: str, user_index: int | None) -> Assignment:
    """Whoever may say whose it is has said so: this reading is that patient's, in whatever slot it lies.

    A check of the clock counts where it was made for this patient.
    """
    checked = [
        assignment.clock_checked_at
        for assignment in devices.assignments(connection, {device_id}).get(device_id, ())
        if assignment.patient_id == release.patient_id and assignment.clock_checked_at is not None
    ]
    return Assignment(
        device_id=device_id,
        user_index=user_index,
        patient_id=release.patient_id,
        since=None,
        until=None,
        zones=zones_of(connection, [release.patient_id])[release.patient_id],
        clock_checked_at=max(checked, default=None),
    )


def _next(connection: Connection, but: list[UUID]) -> Release | None:
    row = connection.execute(_NEXT, {"but": but}).fetchone()
    if row is None:
        return None
    release_id, reading_id, patient_id, stated, said_by, payload, gateway_id, received_at, time, quality = row
    return Release(
        release_id=release_id,
        reading_id=reading_id,
        patient_id=patient_id,
        stated=stated,
        dated=(time, TimeQuality(quality)) if time is not None else None,
        said_by=said_by,
        payload=payload,
        gateway_id=gateway_id,
        received_at=received_at,
    )


def _stored(connection: Connection, release: Release, at: datetime) -> None:
    connection.execute(
        "UPDATE reading_release SET settled_at = %s, outcome = 'stored' WHERE release_id = %s", (at, release.release_id)
    )
    connection.execute(
        "UPDATE quarantine SET resolved_at = %s, resolved_by = %s, resolution = 'released'"
        " WHERE reading_id = %s AND resolved_at IS NULL",
        (at, release.said_by, release.reading_id),
    )


def _refused(connection: Connection, release: Release, refusal: Refusal, at: datetime) -> None:
    """It stays where it is, open, with what is now known of it."""
    connection.execute(
        "UPDATE reading_release SET settled_at = %s, outcome = 'refused', refusal = %s WHERE release_id = %s",
        (at, refusal.sentence, release.release_id),
    )
    connection.execute(
        "UPDATE quarantine SET reason_code = %s, reason = %s, may_be = %s,"
        " effective_time = coalesce(%s, effective_time) WHERE reading_id = %s AND resolved_at IS NULL",
        (refusal.code, refusal.sentence, list(refusal.may_be), refusal.measured_at, release.reading_id),
    )


# Two workers take different ones; whoever holds one has it alone until the commit.
_NEXT = """
SELECT r.release_id, r.reading_id, r.patient_id, r.stated_time, r.said_by, kept.payload, kept.gateway_id,
       kept.received_at, kept.effective_time, kept.time_quality
FROM reading_release r
CROSS JOIN LATERAL (
    SELECT q.payload, q.gateway_id, q.received_at, NULL::timestamptz AS effective_time, NULL AS time_quality
    FROM quarantine q
    WHERE r.origin = 'quarantine' AND q.reading_id = r.reading_id
    UNION ALL
    SELECT h.payload, h.gateway_id, h.received_at, h.effective_time, h.time_quality FROM held_reading h
    WHERE r.origin = 'held' AND h.reading_id = r.reading_id
) AS kept
WHERE r.settled_at IS NULL AND NOT r.release_id = ANY(%(but)s)
ORDER BY r.said_at, r.release_id
LIMIT 1
FOR UPDATE OF r SKIP LOCKED
"""
