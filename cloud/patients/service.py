"""What a patient's page shows: which readings, which limits, which series to draw."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from alerting.limits import Measure
from alerting.regimes import Figure, RegimeLimit
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import Spoken, zone_of
from cloud.patients import store
from cloud.patients.models import BloodPressure, Concentration, Observed, Readings
from cloud.patients.store import Connection
from cloud.planning import service as planning
from cloud.treatment import service as treatment
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState

SHOWN: Final = 15  # readings of each kind on the page
SHOWN_WITHIN: Final = timedelta(days=365)
DRAWN_WITHIN: Final = timedelta(days=30)
DRAWN: Final = 2000

Spans = Sequence[tuple[datetime, datetime, tuple[RegimeLimit, ...]]]
_T = TypeVar("_T", bound=Observed)

_OFF_SCALE: Final[Mapping[str, str]] = {QuantityState.ABOVE_RANGE: "HI", QuantityState.BELOW_RANGE: "LO"}


async def last_readings(conn: Connection, patient_id: UUID, now: datetime) -> Readings:
    since = now - SHOWN_WITHIN
    return Readings(
        glucose=await store.glucose(conn, patient_id, since, SHOWN),
        ketone=await store.ketone(conn, patient_id, since, SHOWN),
        blood_pressure=await store.blood_pressure(conn, patient_id, since, SHOWN),
    )


async def limits(conn: Connection, patient_id: UUID, now: datetime) -> tuple[RegimeLimit, ...]:
    """The limits in force: the patient's own in place of the programme's."""
    return await planning.limits_in_force(conn, patient_id, now)


async def check_clock(conn: Connection, session: Session, patient_id: UUID, assignment_id: UUID, now: datetime) -> bool:
    """The device's clock is right, compared with a watch now. False: no such device of a patient in this care.

    For a device whose clock is read over the link there is nothing to check: the check would say nothing.
    """
    device = next((d for d in await store.devices(conn, patient_id, now) if d.assignment_id == assignment_id), None)
    if device is None or not device.needs_eyes:
        return False
    if not await store.check_clock(conn, session.account_id, patient_id, assignment_id, now):
        return False
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="device.clock_check",
        subject=f"device_assignment:{assignment_id}",
        patient_id=patient_id,
    )
    return True


async def series(
    conn: Connection,
    patient_id: UUID,
    zone: str,
    now: datetime,
    spoken: Spoken,
    *,
    within: timedelta = DRAWN_WITHIN,
    kind: str | None = None,
) -> dict[str, Any]:
    """The chart's data: one chart per kind and unit of the devices, in the reader's unit, oldest first.

    ``{"zone": IANA, "charts": [{"kind", "unit", "said": "24 readings", "times": [s since 1970],
    "lines": {measure: [number or null]}, "off_scale": [{"time", "word"}],
    "limits": [{"measure", "value", "said", "relation", "priority", "from", "to"}]}],
    "changes": [{"time", "what", "why"}]}``.
    A limit is drawn where it was in force, a change of treatment at the noon of its day; ``within`` and ``kind`` say
    how far back, and which charts. Control solution, tests and failed measurements are
    not drawn; HI and LO are marks at the edge, never numbers.
    """
    since = now - within
    in_force = await planning.limits_between(conn, patient_id, since, now)
    glucose = await store.glucose(conn, patient_id, since, DRAWN)
    ketone = await store.ketone(conn, patient_id, since, DRAWN)
    pressure = await store.blood_pressure(conn, patient_id, since, DRAWN)
    charts = (
        [_concentration_chart(Measure.GLUCOSE, unit, rows, in_force, spoken) for unit, rows in _by_unit(glucose)]
        + [_concentration_chart(Measure.KETONE, unit, rows, in_force, spoken) for unit, rows in _by_unit(ketone)]
        + [_pressure_chart(unit, rows, in_force, spoken) for unit, rows in _by_unit(pressure)]
    )
    changes = await treatment.changes_since(conn, patient_id, treatment.day_there(since, zone))
    return {
        "zone": zone,
        "from": since.timestamp(),
        "to": now.timestamp(),
        "charts": [_in_words(chart, spoken) for chart in charts if kind in (None, chart["kind"])],
        "changes": [
            {"time": _noon(change.changed_on, zone).timestamp(), "what": change.what, "why": change.why}
            for change in changes
        ],
    }


def _noon(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(12), zone_of(zone))


def _in_words(chart: dict[str, Any], spoken: Spoken) -> dict[str, Any]:
    many = len(chart["times"])
    count = spoken.words.ngettext("{n} reading", "{n} readings", many).format(n=many)
    own, shown = spoken.unit(chart["unit"]), spoken.unit(spoken.drawn_unit(chart["unit"], chart["kind"]))
    unit = shown if own == shown else spoken.CONVERTED["from"].format(shown, own)
    return {**chart, "unit": unit, "said": count}


def _by_unit(rows: Sequence[_T]) -> list[tuple[str, list[_T]]]:
    """Oldest first, the unit that was used last in front."""
    units = list(dict.fromkeys(row.unit for row in rows))
    return [(unit, [row for row in reversed(rows) if row.unit == unit and row.is_patient]) for unit in units]


def _concentration_chart(
    measure: Measure, unit: str, rows: list[Concentration], spans: Spans, spoken: Spoken
) -> dict[str, Any]:
    line = [_drawn(row.value, unit, measure, spoken) for row in rows]
    chart = _chart(measure.value, unit, rows, {measure.value: line})
    chart["limits"] = _lines(spans, (measure,), unit, spoken)
    return chart


def _pressure_chart(unit: str, rows: list[BloodPressure], spans: Spans, spoken: Spoken) -> dict[str, Any]:
    lines = {
        "systolic": [_drawn(row.systolic, unit, Measure.SYSTOLIC, spoken) for row in rows],
        "diastolic": [_drawn(row.diastolic, unit, Measure.DIASTOLIC, spoken) for row in rows],
    }
    chart = _chart("blood_pressure", unit, rows, lines)
    chart["limits"] = _lines(spans, (Measure.SYSTOLIC, Measure.DIASTOLIC), unit, spoken)
    return chart


def _chart(kind: str, unit: str, rows: Sequence[Observed], lines: dict[str, list[float | None]]) -> dict[str, Any]:
    return {
        "kind": kind,
        "unit": unit,
        "times": [row.effective_time.timestamp() for row in rows],
        "lines": lines,
        "off_scale": [
            {"time": row.effective_time.timestamp(), "word": _OFF_SCALE[row.state]}
            for row in rows
            if row.state in _OFF_SCALE
        ],
    }


def _lines(spans: Spans, measures: tuple[Measure, ...], unit: str, spoken: Spoken) -> list[dict[str, Any]]:
    """Each limit where it was in force; one that goes on through several spans is one line."""
    found: list[dict[str, Any]] = []
    for begins, ends, limits in spans:
        for limit in limits:
            if limit.figure is not Figure.READING or limit.measure not in measures or Unit(unit) not in limit.values:
                continue
            line = {
                "measure": limit.measure,
                "value": spoken.drawn(limit.values[Unit(unit)], unit, limit.measure),
                "said": spoken.drawn_number(limit.values[Unit(unit)], unit, limit.measure),
                "relation": limit.relation,
                "priority": limit.priority,
            }
            before = next(
                (one for one in found if one["to"] == begins.timestamp() and line.items() <= one.items()), None
            )
            if before is not None:
                before["to"] = ends.timestamp()
            else:
                found.append({**line, "from": begins.timestamp(), "to": ends.timestamp()})
    return found


def _drawn(value: Decimal | None, unit: str, measure: Measure, spoken: Spoken) -> float | None:
    """For drawing only; what is written is the decimal as the device gave it."""
    return None if value is None else spoken.drawn(value, unit, measure)
