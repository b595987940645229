"""What a patient's page shows: which readings, which limits, which series to draw."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from alerting.limits import Measure
from alerting.regimes import Figure, RegimeLimit
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import Spoken
from cloud.patients import store
from cloud.patients.models import BloodPressure, Concentration, Observed, Readings
from cloud.patients.store import Connection
from cloud.planning import service as planning
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState

SHOWN: Final = 15  # readings of each kind on the page
SHOWN_WITHIN: Final = timedelta(days=365)
DRAWN_WITHIN: Final = timedelta(days=30)
DRAWN: Final = 2000

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


async def series(conn: Connection, patient_id: UUID, zone: str, now: datetime, spoken: Spoken) -> dict[str, Any]:
    """The chart's data: one chart per kind and unit, as the devices said it, oldest first.

    ``{"zone": IANA, "charts": [{"kind", "unit", "said": "24 readings", "times": [s since 1970],
    "lines": {measure: [number or null]}, "off_scale": [{"time", "word"}],
    "limits": [{"measure", "value", "relation", "priority"}]}]}``. Control solution, tests and failed measurements are
    not drawn; HI and LO are marks at the edge, never numbers.
    """
    since = now - DRAWN_WITHIN
    in_force_now = await limits(conn, patient_id, now)
    glucose = await store.glucose(conn, patient_id, since, DRAWN)
    ketone = await store.ketone(conn, patient_id, since, DRAWN)
    pressure = await store.blood_pressure(conn, patient_id, since, DRAWN)
    charts = (
        [_concentration_chart(Measure.GLUCOSE, unit, rows, in_force_now) for unit, rows in _by_unit(glucose)]
        + [_concentration_chart(Measure.KETONE, unit, rows, in_force_now) for unit, rows in _by_unit(ketone)]
        + [_pressure_chart(unit, rows, in_force_now) for unit, rows in _by_unit(pressure)]
    )
    return {"zone": zone, "charts": [_in_words(chart, spoken) for chart in charts]}


def _in_words(chart: dict[str, Any], spoken: Spoken) -> dict[str, Any]:
    many = len(chart["times"])
    count = spoken.words.ngettext("{n} reading", "{n} readings", many).format(n=many)
    return {**chart, "unit": spoken.unit(chart["unit"]), "said": count}


def _by_unit(rows: Sequence[_T]) -> list[tuple[str, list[_T]]]:
    """Oldest first, the unit that was used last in front."""
    units = list(dict.fromkeys(row.unit for row in rows))
    return [(unit, [row for row in reversed(rows) if row.unit == unit and row.is_patient]) for unit in units]


def _concentration_chart(
    measure: Measure, unit: str, rows: list[Concentration], limits: Iterable[RegimeLimit]
) -> dict[str, Any]:
    chart = _chart(measure.value, unit, rows, {measure.value: [_number(row.value) for row in rows]})
    chart["limits"] = _lines(limits, (measure,), unit)
    return chart


def _pressure_chart(unit: str, rows: list[BloodPressure], limits: Iterable[RegimeLimit]) -> dict[str, Any]:
    lines = {
        "systolic": [_number(row.systolic) for row in rows],
        "diastolic": [_number(row.diastolic) for row in rows],
    }
    chart = _chart("blood_pressure", unit, rows, lines)
    chart["limits"] = _lines(limits, (Measure.SYSTOLIC, Measure.DIASTOLIC), unit)
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


def _lines(limits: Iterable[RegimeLimit], measures: tuple[Measure, ...], unit: str) -> list[dict[str, Any]]:
    return [
        {
            "measure": limit.measure,
            "value": float(limit.values[Unit(unit)]),
            "relation": limit.relation,
            "priority": limit.priority,
        }
        for limit in limits
        if limit.figure is Figure.READING and limit.measure in measures and Unit(unit) in limit.values
    ]


def _number(value: Decimal | None) -> float | None:
    """For drawing only; what is written is the decimal as the device gave it."""
    return None if value is None else float(value)
