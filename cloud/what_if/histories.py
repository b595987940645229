"""All SQL of stored readings as histories: what a rule set is replayed over, patient by patient.

The server packs each column of a patient into one value of octets (big-endian, as its binary protocol has them), and
numpy reads them in place: a patient's year is one row for each kind and unit, not a thousand.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL, Identifier

from alerting.adherence import Pause, Schedule, Slot
from alerting.histories import GlucoseSeries, History, PressureSeries
from alerting.windows import Column, GlucoseWindow, PressureWindow, Times, instant
from cloud.db.connect import Connection
from cloud.zones.store import zones_of
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind
from device_drivers.wall_clocks import Zones

# Before the span that counts: what the longest rules look back on, and as long as a routine case rests.
RUN_IN_DAYS = 30
# The server's times are microseconds since then.
_EPOCH = np.datetime64("2000-01-01", "us")
_QUARTER = np.timedelta64(15, "m")
_IRREGULAR, _MOVED = 1, 2

_Row = tuple[Any, ...]


def histories_of(
    connection: Connection,
    patient_ids: Sequence[UUID],
    at: datetime,
    days: int,
) -> Iterator[tuple[UUID, History]]:
    """The last ``days`` of each of these patients, with what runs in before. A handful of patients at a time.

    Nothing of before a patient's activation, which the rules would not have looked at.
    """
    since = at - timedelta(days=days + RUN_IN_DAYS)
    parameters = {"patient_ids": list(patient_ids), "since": since, "at": at}
    zones = zones_of(connection, patient_ids)
    pressure = _grouped(connection.execute(PRESSURE, parameters))
    glucose = _grouped(connection.execute(GLUCOSE, parameters))
    ketone = _grouped(connection.execute(KETONE, parameters))
    slots = _grouped(connection.execute(SLOTS, parameters))
    pauses = _grouped(connection.execute(PAUSES, parameters))
    # Also of a heightened period that is over by now: it was not, then.
    heightened_until: dict[UUID, datetime | None] = dict(connection.execute(_HEIGHTENED, parameters).fetchall())
    watched_from: dict[UUID, datetime] = dict(connection.execute(_WATCHED_FROM, parameters).fetchall())
    for patient_id in patient_ids:
        begun = watched_from.get(patient_id)
        of = zones.get(patient_id, Zones(UTC))
        zone = of.otherwise or UTC
        yield (
            patient_id,
            History(
                start=at.astimezone(zone) - timedelta(days=days + RUN_IN_DAYS),
                days=days + RUN_IN_DAYS,
                pressure=tuple(pressure_series(row, of) for row in pressure.get(patient_id, ())),
                glucose=tuple(strip_series(row, of) for row in glucose.get(patient_id, ())),
                schedules=schedules_of(
                    slots.get(patient_id, ()), pauses.get(patient_id, ()), zone, max(since, begun or since), at
                ),
                heightened_until=heightened_until.get(patient_id),
                ketone=tuple(strip_series(row, of) for row in ketone.get(patient_id, ())),
                run_in=RUN_IN_DAYS,
                watched_from=begun,
            ),
        )


def local_times(times: Times, zones: Zones) -> Times:
    """The wall clock of the patient's walls at these times (UTC): where they were then."""
    found = _shown(times, zones.otherwise or UTC)
    for stay in zones.stays:
        there = np.ones(len(times), dtype=np.bool_)
        if stay.since is not None:
            there &= times >= instant(stay.since)
        if stay.until is not None:
            there &= times < instant(stay.until)
        found = np.where(there, _shown(times, stay.zone or UTC), found)
    return found


def _shown(times: Times, zone: tzinfo) -> Times:
    if not len(times):
        return times
    days = times.astype("datetime64[D]")
    first, last = days.min(), days.max()
    # Whole months, so that patients of one zone share them.
    begin = first.astype("datetime64[M]").astype("datetime64[us]")
    end = (last.astype("datetime64[M]") + 1).astype("datetime64[us]")
    offsets = _offsets(zone, begin, end)
    shown: Times = times + offsets[((times - begin) // _QUARTER).astype(np.int64)]
    return shown


@lru_cache(maxsize=64)
def _offsets(zone: tzinfo, begin: np.datetime64, end: np.datetime64) -> NDArray[np.timedelta64]:
    """What to add to UTC in each quarter of an hour: no zone changes within one."""
    quarters = np.arange(begin, end, _QUARTER).tolist()
    beyond = [moment.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta() for moment in quarters]
    return np.array(beyond, dtype="timedelta64[us]")


def _grouped(rows: "Iterator[_Row] | Any") -> dict[UUID, list[_Row]]:
    found: dict[UUID, list[_Row]] = {}
    for patient_id, *rest in rows:
        found.setdefault(patient_id, []).append(tuple(rest))
    return found


def pressure_series(row: _Row, zones: Zones) -> PressureSeries:
    """A row of ``PRESSURE`` without its patient."""
    unit, at, received, devices, systolic, diastolic, pulse, flags = row
    times, marks = _times(at), np.frombuffer(flags, ">i2")
    return PressureSeries(
        window=PressureWindow(
            unit=Unit(unit),
            times=times,
            local=local_times(times, zones),
            devices=np.frombuffer(devices, ">i8").astype(np.int64),
            systolic=_column(systolic),
            diastolic=_column(diastolic),
            pulse=_column(pulse),
            irregular=(marks & _IRREGULAR) > 0,
            moved=(marks & _MOVED) > 0,
        ),
        received=_times(received),
    )


def strip_series(row: _Row, zones: Zones) -> GlucoseSeries:
    """A row of ``GLUCOSE`` or ``KETONE`` without its patient."""
    unit, at, received, values, samples, fasting = row
    times = _times(at)
    return GlucoseSeries(
        window=GlucoseWindow(
            unit=Unit(unit),
            times=times,
            local=local_times(times, zones),
            values=_column(values),
            fasting=np.frombuffer(fasting, ">i2") > 0,
        ),
        received=_times(received),
        samples=np.frombuffer(samples, ">i2").astype(np.int8),
    )


def _times(octets: bytes) -> Times:
    since: Times = _EPOCH + np.frombuffer(octets, ">i8").astype("timedelta64[us]")
    return since


def _column(octets: bytes) -> Column:
    return np.frombuffer(octets, ">f8").astype(np.float64)


def schedules_of(
    slots: Sequence[_Row], pauses: Sequence[_Row], zone: tzinfo, since: datetime, at: datetime
) -> tuple[Schedule, ...]:
    """One for each kind and span of time in which the same slots held; after its end nothing of it is due."""
    found: dict[tuple[str, datetime | None, datetime | None], list[Slot]] = {}
    for kind, clock, weekdays, before, after, begins, ends in slots:
        slot = Slot(at=clock, weekdays=frozenset(weekdays), before=before, after=after)
        found.setdefault((kind, begins, ends), []).append(slot)
    paused = tuple(Pause(start=begins or since, end=ends) for begins, ends in pauses)
    return tuple(
        Schedule(
            kind=Kind(kind),
            zone=zone,
            slots=tuple(of),
            since=max(begins or since, since),
            pauses=(*paused, Pause(start=ends, end=None)) if ends is not None and ends < at else paused,
        )
        for (kind, begins, ends), of in found.items()
    )


PRESSURE = """
SELECT patient_id, unit,
       string_agg(timestamptz_send(effective_time), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(timestamptz_send(received_at), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(int8send(hashtextextended(device_id, 0)), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(float8send(coalesce(systolic::float8, beyond)), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(float8send(coalesce(diastolic::float8, beyond)), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(float8send(coalesce(pulse::float8, 'NaN')), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(int2send((('irregular_pulse' = ANY(annotations))::int
                            + 2 * ('body_movement' = ANY(annotations))::int)::int2), ''::bytea
                  ORDER BY effective_time, reading_id)
FROM (SELECT *, (CASE state WHEN 'above_range' THEN 'Infinity' WHEN 'below_range' THEN '-Infinity'
                            ELSE 'NaN' END)::float8 AS beyond
      FROM blood_pressure
      WHERE patient_id = ANY(%(patient_ids)s) AND effective_time >= %(since)s AND effective_time < %(at)s
        AND NOT EXISTS (SELECT FROM participation x WHERE x.patient_id = blood_pressure.patient_id AND x.is_newest
                          AND x.watched_from > effective_time)
        AND sample = 'patient') readings
GROUP BY patient_id, unit ORDER BY patient_id, unit
"""

_STRIPS = """
SELECT patient_id, unit,
       string_agg(timestamptz_send(effective_time), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(timestamptz_send(received_at), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(float8send(coalesce(value::float8,
                      (CASE state WHEN 'above_range' THEN 'Infinity' WHEN 'below_range' THEN '-Infinity'
                                  ELSE 'NaN' END)::float8)), ''::bytea ORDER BY effective_time, reading_id),
       string_agg(int2send((CASE sample WHEN 'patient' THEN 0 WHEN 'control_solution' THEN 1 ELSE 2 END)::int2),
                  ''::bytea ORDER BY effective_time, reading_id),
       string_agg(int2send((coalesce(context ->> 'meal' = 'fasting', false)
                            OR 'fasting' = ANY(annotations))::int::int2), ''::bytea
                  ORDER BY effective_time, reading_id)
FROM {view} strip
WHERE patient_id = ANY(%(patient_ids)s) AND effective_time >= %(since)s AND effective_time < %(at)s
  AND NOT EXISTS (SELECT FROM participation x WHERE x.patient_id = strip.patient_id AND x.is_newest
                    AND x.watched_from > effective_time)
GROUP BY patient_id, unit ORDER BY patient_id, unit
"""
GLUCOSE, KETONE = (SQL(_STRIPS).format(view=Identifier(view)) for view in ("glucose", "ketone"))

SLOTS = """
SELECT patient_id, kind, at, weekdays, before, after, lower(valid), upper(valid)
FROM measurement_slot
WHERE patient_id = ANY(%(patient_ids)s) AND valid && tstzrange(%(since)s, %(at)s) ORDER BY patient_id, at
"""

# Who takes part by enrolment; whoever is not there has always been watched.
_WATCHED_FROM = """
SELECT patient_id, watched_from FROM participation
WHERE patient_id = ANY(%(patient_ids)s) AND is_newest AND watched_from IS NOT NULL
"""

_HEIGHTENED = """
SELECT patient_id, heightened_until FROM patient_programme
WHERE patient_id = ANY(%(patient_ids)s) AND valid @> %(at)s::timestamptz
"""

PAUSES = """
SELECT patient_id, lower(valid), upper(valid) FROM measurement_pause
WHERE patient_id = ANY(%(patient_ids)s) AND valid && tstzrange(%(since)s, %(at)s)
"""
