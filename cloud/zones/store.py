"""All SQL of a patient's zones: the one now, and a row for each stay once the patient has moved."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.db.connect import Connection
from device_drivers.wall_clocks import Stay, Zones


def move(connection: Connection, patient_id: UUID, time_zone: str, since: datetime) -> None:
    """The patient lives in another zone from ``since`` on; what was measured before keeps the zone of its time.

    ValueError for a zone that nobody knows; ExclusionViolation or DataError where a later move is known already.
    """
    if zone(time_zone) is None:
        raise ValueError(f"no time zone {time_zone!r}; give an IANA name, such as Europe/Copenhagen")
    with connection.transaction():
        closed = connection.execute(
            "UPDATE patient_zone SET valid = tstzrange(lower(valid), %(since)s, '[)')"
            " WHERE patient_id = %(patient)s AND upper_inf(valid)",
            {"patient": patient_id, "since": since},
        )
        if closed.rowcount == 0:
            connection.execute(
                "INSERT INTO patient_zone SELECT patient_id, time_zone, tstzrange(NULL, %(since)s, '[)')"
                " FROM patient WHERE patient_id = %(patient)s",
                {"patient": patient_id, "since": since},
            )
        connection.execute(
            "INSERT INTO patient_zone VALUES (%s, %s, tstzrange(%s, NULL, '[)'))", (patient_id, time_zone, since)
        )
        connection.execute("UPDATE patient SET time_zone = %s WHERE patient_id = %s", (time_zone, patient_id))


def zones_of(connection: Connection, patient_ids: Collection[UUID]) -> Mapping[UUID, Zones]:
    """The zones of these patients, ever."""
    return of_rows(connection.execute(ZONES, (list(patient_ids),)))


def of_rows(rows: Iterable[tuple[Any, ...]]) -> Mapping[UUID, Zones]:
    """The rows of ``ZONES``, by patient."""
    return {
        patient_id: Zones(zone(now), tuple(map(_stay, names, begins, ends)))
        for patient_id, now, names, begins, ends in rows
    }


def _stay(name: str, since: datetime | None, until: datetime | None) -> Stay:
    return Stay(since, until, zone(name))


ZONES = """
SELECT patient_id, p.time_zone, array_remove(array_agg(z.time_zone ORDER BY valid), NULL),
       array_agg(lower(valid) ORDER BY valid), array_agg(upper(valid) ORDER BY valid)
FROM patient p LEFT JOIN patient_zone z USING (patient_id)
WHERE patient_id = ANY(%s)
GROUP BY patient_id
"""


def zone(name: str) -> tzinfo | None:
    """The zone of that name; None where nobody knows it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
