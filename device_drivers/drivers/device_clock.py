"""The device's clock over GATT, where its profile says it can be read: the coincident time stamp of the session."""

from datetime import datetime

from device_drivers.codecs.date_time import DateTime, decode_current_time, decode_date_time
from device_drivers.drivers.conversation import Clock
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink
from device_drivers.readings import ReportedTime
from device_drivers.timestamps import CoincidentTimeStamp
from firmware_profiles.schema import Profile

CURRENT_TIME = sig_uuid(0x2A2B)
DATE_TIME = sig_uuid(0x2A08)


async def read_clock(link: BleLink, profile: Profile, now: Clock) -> CoincidentTimeStamp | None:
    """Both clocks at one moment; None where the device has no readable clock, or shows no date. DeviceError."""
    clock = profile.firmware.clock
    if not clock.readable:
        return None
    shown = await _read(link, clock.source)
    gateway_time = now()
    return CoincidentTimeStamp(gateway_time, shown) if shown is not None else None


def reported_time(stamp: DateTime, profile: Profile, *, suffix: str = "", local: datetime | None) -> ReportedTime:
    """A record's time: the device's text, and a wall-clock time unless the profile calls that text "never set"."""
    text = stamp.text + suffix
    unset = stamp.text in profile.firmware.clock.unset
    return ReportedTime(text, None if unset else local)


async def _read(link: BleLink, source: str) -> datetime | None:
    if source == "current_time" and link.has_characteristic(CURRENT_TIME):
        return decode_current_time(await link.read(CURRENT_TIME)).date_time.local
    if source == "date_time" and link.has_characteristic(DATE_TIME):
        return decode_date_time(await link.read(DATE_TIME)).local
    return None
