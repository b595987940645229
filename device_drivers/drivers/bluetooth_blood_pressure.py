"""Bluetooth Blood Pressure Service: a cuff sends what it holds as soon as somebody listens, then hangs up.

Wire page: bluetooth_blood_pressure.md. The cuff has no counter to ask: a transfer has ended when the cuff hangs up or
falls silent. Some cuffs delete a record once its indication is confirmed, and BlueZ confirms before we see it:
confirmed is not stored. So readings are given out at once, together with those that have come already and with nothing
that is still to come; the caller makes them durable by one write before anything else happens.

A measurement that failed arrives as NaN (naive readers show 2047 mmHg); it is kept as what it is, and marked so.
In which order the cuff sends (some begin with the oldest, some with the newest) does not matter: all of them are kept.

Models: the cuffs whose profile names this driver (README, support table). Quirks: ``big_endian_tail``,
``always_user_id`` and ``zero_mean_is_absent`` (Beurer), ``plain_integers`` (Silvercrest).
"""

from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal

from device_drivers.codecs.blood_pressure_measurement import (
    UNKNOWN_USER,
    BloodPressureMeasurement,
    PressureUnit,
    decode_blood_pressure_measurement,
)
from device_drivers.codecs.sfloat import Figure, Special
from device_drivers.drivers.arrivals import Arrivals
from device_drivers.drivers.battery import battery_warnings
from device_drivers.drivers.conversation import Clock, Complete, Cursor, Event, Opened, Received
from device_drivers.drivers.device_clock import read_clock, reported_time
from device_drivers.drivers.device_information import read_identity
from device_drivers.drivers.occurrences import told_apart
from device_drivers.errors import CodecError, LinkLost, LinkTimeout
from device_drivers.identity import DeviceIdentity
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime
from firmware_profiles.schema import Profile

BIG_ENDIAN_TAIL = "big_endian_tail"
ALWAYS_USER_ID = "always_user_id"
ZERO_MEAN_IS_ABSENT = "zero_mean_is_absent"
PLAIN_INTEGERS = "plain_integers"
QUIRKS: frozenset[str] = frozenset({BIG_ENDIAN_TAIL, ALWAYS_USER_ID, ZERO_MEAN_IS_ABSENT, PLAIN_INTEGERS})

FAILED_MEASUREMENT = "failed_measurement"

BLOOD_PRESSURE_MEASUREMENT = sig_uuid(0x2A35)

# A cuff that sends no time stamp at all: nothing is known, and the text says so.
NO_TIME_STAMP = ReportedTime("0000-00-00T00:00:00", None)

_UNITS = {PressureUnit.MMHG: Unit.MM_HG, PressureUnit.KPA: Unit.KPA}


async def read(link: BleLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:
    """One visit; see ``conversation`` for the contract. The cursor is given back as it came: there is nothing to ask.

    A cuff that goes out of reach looks like one that hung up. That costs nothing: what it could not get confirmed it
    keeps and sends again.
    """
    ble = profile.firmware.ble
    if ble is None:
        raise ValueError(f"profile {profile.id} is not a BLE profile")
    identity = await read_identity(link, profile)
    coincident = await read_clock(link, profile, now)
    battery = await battery_warnings(link)
    async with Arrivals(link) as arrivals:
        yield Opened(identity=identity, coincident=coincident)
        await arrivals.subscribe(BLOOD_PRESSURE_MEASUREMENT)
        equals: Counter[str] = Counter()
        damaged: CodecError | None = None
        while came := await _next(arrivals, ble.idle_timeout_s):
            readings: list[Reading] = []
            for octets in came:
                try:
                    readings.append(_told_apart(reading_from(octets, identity, profile), equals))
                except CodecError as error:
                    damaged = damaged or error  # go on: those behind it may be gone from the cuff already
            if readings:
                yield Received(tuple(readings))
    if damaged is not None:
        raise damaged
    yield Complete(cursor=dict(cursor or {}), warnings=battery)


def reading_from(octets: bytes, identity: DeviceIdentity, profile: Profile) -> Reading:
    """One indication. CodecError."""
    record = decode_blood_pressure_measurement(
        octets,
        big_endian_tail=profile.has_quirk(BIG_ENDIAN_TAIL),
        always_user_id=profile.has_quirk(ALWAYS_USER_ID),
        plain_integers=profile.has_quirk(PLAIN_INTEGERS),
    )
    return Reading(
        device=identity,
        kind=Kind.BLOOD_PRESSURE,
        components=tuple(_components(record, profile)),
        reported_time=_reported_time(record, profile),
        profile=profile.id,
        raw=octets,
        user_index=None if record.user_id in (None, UNKNOWN_USER) else record.user_id,
        annotations=_annotations(record),
    )


def _told_apart(reading: Reading, equals: Counter[str]) -> Reading:
    """Without a time stamp, equal figures in one session are different measurements; with one, the same."""
    return told_apart(reading, equals) if reading.reported_time == NO_TIME_STAMP else reading


async def _next(arrivals: Arrivals, idle_timeout_s: float) -> list[bytes]:
    """The next indication and whatever has come with it; empty when that was all."""
    came: list[bytes] = []
    try:
        while not came or arrivals.waiting:
            _, octets = await arrivals.next(idle_timeout_s)
            came.append(octets)
    except (LinkLost, LinkTimeout):
        pass  # what came before it is given out first; asked again, it says so again
    return came


def _components(record: BloodPressureMeasurement, profile: Profile) -> list[Component]:
    unit = _UNITS[record.unit]
    components = [
        Component(Mdc.PRESS_BLD_NONINV_SYS, _quantity(record.systolic, unit)),
        Component(Mdc.PRESS_BLD_NONINV_DIA, _quantity(record.diastolic, unit)),
    ]
    if not (profile.has_quirk(ZERO_MEAN_IS_ABSENT) and record.mean_arterial_pressure == 0):
        components.append(Component(Mdc.PRESS_BLD_NONINV_MEAN, _quantity(record.mean_arterial_pressure, unit)))
    if record.pulse_rate is not None:
        components.append(Component(Mdc.PULS_RATE_NON_INV, _quantity(record.pulse_rate, Unit.PER_MIN)))
    return components


def _quantity(figure: Figure, unit: Unit) -> Quantity:
    if isinstance(figure, Special):
        return Quantity(None, unit, QuantityState(figure.value))
    return Quantity(figure, unit)


def _reported_time(record: BloodPressureMeasurement, profile: Profile) -> ReportedTime:
    if record.time_stamp is None:
        return NO_TIME_STAMP
    return reported_time(record.time_stamp, profile, local=record.time_stamp.local)


def _annotations(record: BloodPressureMeasurement) -> tuple[str, ...]:
    beyond = {"above": ("pulse_rate_above_range",), "below": ("pulse_rate_below_range",)}
    failed = not isinstance(record.systolic, Decimal) and not isinstance(record.diastolic, Decimal)
    return record.statuses + beyond.get(record.pulse_rate_range, ()) + ((FAILED_MEASUREMENT,) if failed else ())
