"""What an operator does at the command line: `python -m cloud training`.

A course gives trainees patients out of a synthetic year (``alerting.synthetic.scenes``) whose truth is known: who is in
a crisis, who gets worse, who only looks like it, and who is well. Their readings come in through the ingest's own code.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from alerting.histories import SAMPLES, GlucoseSeries, PressureSeries
from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population
from alerting.synthetic.scenes import Kind, Scene, scenes
from alerting.windows import aware
from cloud.db.connect import Connection, open_connection
from cloud.devices import store as devices
from cloud.ingest.planted import plant
from cloud.planting import store
from device_drivers import readings as said
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Quantity, QuantityState, Reading, ReportedTime

MOST = 50
# So many synthetic years have what is asked for at nearly any hour.
_YEARS, _DAYS = 400, 200
_DIGITS = {Unit.MM_HG: 0, Unit.KPA: 1, Unit.MG_DL: 0, Unit.MMOL_L: 1, Unit.PER_MIN: 0}
_DEALT = (Kind.CRISIS, Kind.FALSE_ALARM, Kind.ORDINARY, Kind.WORSENING)
_PROFILE = "training"
# The device had it since before its oldest reading.
_HAD_FOR = timedelta(days=60)


class CommandRefused(Exception):
    """It was not done; the text says why and what to do."""


def run(database_url: str, options: argparse.Namespace, now: datetime) -> str:
    """Do what ``training`` was given, in one transaction; what to tell. CommandRefused."""
    with open_connection(database_url, "pulsepost-training") as connection:
        match options.deed:
            case "start":
                return _start(connection, options, now)
            case "end":
                return _end(connection, now)
            case _:
                return "\n".join(map(_line, store.courses(connection))) or "no course yet"


def _start(connection: Connection, options: argparse.Namespace, now: datetime) -> str:
    if not 1 <= options.patients <= MOST:
        raise CommandRefused(f"--patients: 1 to {MOST}")
    logins = [login.strip().lower() for login in options.logins]
    found = store.trainees(connection, logins)
    if unknown := sorted(set(logins) - set(found)):
        raise CommandRefused(f"nobody who works with patients has the login {', '.join(unknown)}")
    store.clear(connection, now)
    course_id = store.begin(connection, now)
    zone = store.zone_of_site(connection)
    stored = 0
    for number, scene in enumerate(_dealt(options.patients, options.seed, zone, now), start=1):
        name = f"TRAINING {number:02}"
        patient_id = store.add_patient(connection, course_id, name, zone, list(found.values()), scene, now)
        stored += _plant(connection, patient_id, scene, now)
    store.planted(connection, now)
    whom = ", ".join(sorted(found))
    return (
        f"course {course_id}: {options.patients} training patients with {stored} readings for {whom}.\n"
        "They stand on a worklist of their own. `python -m cloud training end` tells what was true of them."
    )


def _end(connection: Connection, now: datetime) -> str:
    ended = store.open_courses(connection)
    for course_id in ended:
        store.end(connection, course_id, now)
    return f"{len(ended)} ended: their trainees see now what was true" if ended else "no course is open"


def _line(course: tuple[UUID, datetime, datetime | None, int]) -> str:
    course_id, began, ended, patients = course
    end = f"ended {ended:%Y-%m-%d %H:%M}" if ended else "open"
    return f"{course_id}\t{began:%Y-%m-%d %H:%M}\t{end}\t{patients} patients"


def _dealt(patients: int, seed: int, zone: str, now: datetime) -> Sequence[Scene]:
    """As many of each kind as there can be, each of another year, in an order that says nothing."""
    chance = np.random.default_rng(seed)
    over = calendar((now - timedelta(days=_DAYS)).date(), _DAYS, ZoneInfo(zone))
    years = list(population(chance, _YEARS, over))
    found: list[Scene] = []
    taken: set[int] = set()
    for kind in islice(cycle(_DEALT), patients):
        scene = next((one for one in scenes(years, kind, now) if one.year.number not in taken), None)
        scene = scene or next(one for one in scenes(years, Kind.ORDINARY, now) if one.year.number not in taken)
        taken.add(scene.year.number)
        found.append(scene)
    return [found[place] for place in chance.permutation(len(found))]


def _plant(connection: Connection, patient_id: UUID, scene: Scene, now: datetime) -> int:
    device = DeviceIdentity(manufacturer="Training", model="Meter", serial_number=patient_id.hex)
    device_id = devices.register_device(connection, device, _PROFILE)
    devices.assign_device(connection, device_id, patient_id, now - _HAD_FOR)
    return plant(connection, store.GATEWAY, list(_readings(device, scene)), now)


# Readings -------------------------------------------------------------------------------------------------------------


def _readings(device: DeviceIdentity, scene: Scene) -> Iterator[Reading]:
    """As a device whose clock shows UTC says them."""
    series = scene.series
    if isinstance(series, PressureSeries):
        yield from _pressures(device, series, scene.moved)
    else:
        yield from _strips(device, series, scene.moved)


def _pressures(device: DeviceIdentity, series: PressureSeries, moved: timedelta) -> Iterator[Reading]:
    rows = series.window
    flags = zip(rows.irregular.tolist(), rows.moved.tolist(), strict=True)
    figures = zip(rows.systolic.tolist(), rows.diastolic.tolist(), rows.pulse.tolist(), strict=True)
    for at, (systolic, diastolic, pulse), (irregular, shaken) in zip(rows.times, figures, flags, strict=True):
        components = (
            Component(Mdc.PRESS_BLD_NONINV_SYS, _quantity(systolic, rows.unit)),
            Component(Mdc.PRESS_BLD_NONINV_DIA, _quantity(diastolic, rows.unit)),
            Component(Mdc.PULS_RATE_NON_INV, _quantity(pulse, Unit.PER_MIN)),
        )
        names = (("irregular_pulse", irregular), ("body_movement", shaken))
        annotations = tuple(name for name, is_set in names if is_set)
        yield replace(
            _reading(device, said.Kind.BLOOD_PRESSURE, components, aware(at) + moved), annotations=annotations
        )


def _strips(device: DeviceIdentity, series: GlucoseSeries, moved: timedelta) -> Iterator[Reading]:
    rows = series.window
    strips = zip(rows.times, rows.values.tolist(), series.samples.tolist(), rows.fasting.tolist(), strict=True)
    for at, value, sample, fasting in strips:
        components = (Component(Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD, _quantity(value, rows.unit)),)
        yield replace(
            _reading(device, said.Kind.GLUCOSE, components, aware(at) + moved),
            sample=SAMPLES[sample],
            annotations=("fasting",) if fasting else (),
        )


def _reading(device: DeviceIdentity, kind: said.Kind, components: tuple[Component, ...], at: datetime) -> Reading:
    shown = at.replace(tzinfo=None, microsecond=0)
    return Reading(
        device=device,
        kind=kind,
        components=components,
        reported_time=ReportedTime(shown.isoformat(), shown),
        profile=_PROFILE,
        raw=b"",
    )


def _quantity(value: float, unit: Unit) -> Quantity:
    if np.isfinite(value):
        return Quantity(Decimal(f"{value:.{_DIGITS[unit]}f}"), unit)
    return Quantity(None, unit, QuantityState.ABOVE_RANGE if value > 0 else QuantityState.BELOW_RANGE)
