"""What a device's memory holds when it is switched on: its records, those of its story, and as many old ones as fit."""

from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.simulators.storylines import Story, tell
from firmware_profiles.schema import Profile

Spec = TypeVar("Spec", DeviceSpec, BleDeviceSpec)

CONTROL_SOLUTION = "control_solution"
# The records that fill a memory are so far apart, each older than the last.
_APART_S = 3600.0


def with_memory(spec: Spec, profile: Profile, utc_now: datetime) -> Spec:
    """The specification with the records of its storyline, and full where its faults say so.

    ``utc_now`` is aware. ValueError where the storyline is none of such a device's.
    """
    return _filled(_told(spec, profile, utc_now), profile)


def _told(spec: Spec, profile: Profile, utc_now: datetime) -> Spec:
    if spec.storyline is None:
        return spec
    home = utc_now.replace(tzinfo=None) + timedelta(seconds=spec.clock_skew_s)
    story: Story = tell(spec.storyline, profile, home, spec.seed)
    return msgspec.structs.replace(
        spec,
        records=(*spec.records, *_fitting(spec, story.records)),
        clock_skew_s=spec.clock_skew_s + story.clock_skew_s,
    )


def _filled(spec: Spec, profile: Profile) -> Spec:
    missing = profile.device.memory - len(spec.records)
    if not spec.faults.full_memory or missing <= 0:
        return spec
    oldest_s = max((record.age_s for record in spec.records), default=0.0)
    older: tuple[RecordSpec, ...] = tuple(
        ordinary(profile, oldest_s + _APART_S * number) for number in range(1, missing + 1)
    )
    return msgspec.structs.replace(spec, records=(*spec.records, *_fitting(spec, older)))


def ordinary(profile: Profile, age_s: float = 0.0) -> RecordSpec:
    """A measurement of which there is nothing to say."""
    if profile.device.kind == "glucose":
        return RecordSpec(age_s=age_s, value="6.1" if profile.firmware.values.unit == "mmol/L" else "110")
    return RecordSpec(age_s=age_s, systolic=124, diastolic=78, mean=93, pulse=68)


def _fitting(spec: Spec, records: tuple[RecordSpec, ...]) -> tuple[RecordSpec, ...]:
    """As this kind of specification holds them."""
    return tuple(map(_on_the_radio, records)) if isinstance(spec, BleDeviceSpec) else records


def _on_the_radio(record: RecordSpec) -> BleRecordSpec:
    fields = msgspec.structs.asdict(record)
    fields["flags"] = tuple(flag for flag in record.flags if flag != CONTROL_SOLUTION)
    return BleRecordSpec(**fields, control_solution=CONTROL_SOLUTION in record.flags)
