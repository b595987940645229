"""A history as the rules take it: readings, figures and sessions in the order of measurement, with both times."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from alerting.comparators import from_column
from alerting.histories import SAMPLES, History
from alerting.limits import Measure
from alerting.sessions import MeasurementSession, sessions
from alerting.windows import Column, Times, aware
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, Reading, ReportedTime, Sample

_DEVICE = DeviceIdentity(manufacturer="Synthetic", model="Year", serial_number="0")
_MDC = {
    Measure.SYSTOLIC: Mdc.PRESS_BLD_NONINV_SYS,
    Measure.DIASTOLIC: Mdc.PRESS_BLD_NONINV_DIA,
    Measure.PULSE: Mdc.PULS_RATE_NON_INV,
    Measure.GLUCOSE: Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
    Measure.KETONE: Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """A figure of one measure with both times."""

    figure: Quantity
    at: datetime
    received_at: datetime


Figured = tuple[dict[Measure, Quantity], datetime, datetime]


def readings_of(history: History) -> Iterator[tuple[Reading, datetime, datetime]]:
    """Whole readings, with control solution and test strips."""
    for (figures, at, received_at), sample, kind in _all_figures(history):
        reading = Reading(
            device=_DEVICE,
            kind=kind,
            components=tuple(Component(_MDC[measure], quantity) for measure, quantity in figures.items()),
            reported_time=ReportedTime(text="", local=None),
            profile="replay",
            raw=b"",
            sample=sample,
        )
        yield reading, at, received_at


def figures_of(history: History) -> list[Figured]:
    """The figures of the patient's own samples, in order of measurement."""
    own = (row for row, sample, _ in _all_figures(history) if sample is Sample.PATIENT)
    return sorted(own, key=lambda row: row[1])


def _all_figures(history: History) -> Iterator[tuple[Figured, Sample, Kind]]:
    for series in history.pressure:
        rows = series.window
        columns = {
            Measure.SYSTOLIC: (rows.systolic, rows.unit),
            Measure.DIASTOLIC: (rows.diastolic, rows.unit),
            Measure.PULSE: (rows.pulse, Unit.PER_MIN),
        }
        for row in _rows(columns, rows.times, series.received):
            yield row, Sample.PATIENT, Kind.BLOOD_PRESSURE
    for kind, measure, of_kind in (
        (Kind.GLUCOSE, Measure.GLUCOSE, history.glucose),
        (Kind.KETONE, Measure.KETONE, history.ketone),
    ):
        for strips in of_kind:
            values = {measure: (strips.window.values, strips.window.unit)}
            rows_of = _rows(values, strips.window.times, strips.received)
            for row, sample in zip(rows_of, strips.samples.tolist(), strict=True):
                yield row, SAMPLES[sample], kind


def _rows(columns: dict[Measure, tuple[Column, Unit]], times: Times, received: Times) -> Iterator[Figured]:
    shown = {measure: [_shown(value, unit) for value in column.tolist()] for measure, (column, unit) in columns.items()}
    for n in range(len(times)):
        figures = {measure: figure for measure, of in shown.items() if (figure := of[n]) is not None}
        yield figures, aware(times[n]), aware(received[n])


def _shown(value: float, unit: Unit) -> Quantity | None:
    return Quantity(Decimal(int(value)), unit) if value.is_integer() else from_column(value, unit)


def sessions_of(history: History) -> Iterator[tuple[MeasurementSession, datetime]]:
    """Each session with the time when its last reading reached us."""
    for series in history.pressure:
        received_by = dict(zip(series.window.times.tolist(), series.received, strict=True))
        for session, rows in sessions(series.window):
            yield session, max(aware(received_by[time]) for time in rows.times.tolist())


def by_measure(readings: Sequence[Figured]) -> dict[Measure, list[Timed]]:
    found: dict[Measure, list[Timed]] = {}
    for figures, at, received_at in readings:
        for measure, figure in figures.items():
            found.setdefault(measure, []).append(Timed(figure=figure, at=at, received_at=received_at))
    return found
