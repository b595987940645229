"""Microlife BP B3 Comfort PC over USB.

Reads the whole memory, which the cuff sends in one piece with a checksum, oldest first; writes nothing into the cuff.
Values are mm[Hg] and beats per minute; times have no seconds, so equal readings of one minute are told apart by their
occurrence. The cuff marks an irregular pulse and a cuff that did not fit. What was measured before the clock was set
has month and day 0, and no time. The cuff says neither who it is nor what time it thinks it is (no published command
asks for it): the way to the device identifies it, and a session has no coincident time stamp.

A dump with fewer rows than its header counts is asked for again and never complete.

Wire page with offsets and a row decoded by hand: ``microlife_b3.md``.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from device_drivers.codecs import microlife_b3 as wire
from device_drivers.codecs.microlife_b3 import Dump, Message, Record, Way
from device_drivers.drivers import new_readings as contents
from device_drivers.drivers.conversation import Clock, Cursor, Event, Opened
from device_drivers.drivers.pressure_figures import pressure_figures
from device_drivers.drivers.report_exchange import ReportExchange
from device_drivers.identity import DeviceIdentity
from device_drivers.links.ports import ReportLink
from device_drivers.readings import Kind, Reading, ReportedTime
from firmware_profiles.schema import Hid, Profile

QUIRKS: frozenset[str] = frozenset()


async def read(link: ReportLink, profile: Profile, cursor: Cursor | None, now: Clock) -> AsyncIterator[Event]:  # noqa: ARG001 - the cuff's clock cannot be read
    """One visit; see ``drivers.conversation`` for the contract."""
    dump = await _read_memory(link, profile)
    identity = DeviceIdentity(manufacturer=profile.device.maker, model=profile.device.model, address=link.address)
    memory = contents.Dump([_reading(record, identity, profile) for record in reversed(dump.records)])
    yield Opened(identity=identity, coincident=None, holds=len(dump.records))
    async with aclosing(contents.new_readings(memory, cursor)) as events:
        async for event in events:
            yield event


async def _read_memory(link: ReportLink, profile: Profile) -> Dump:
    """CodecError, LinkTimeout, LinkLost after the profile's retries."""
    cuff = ReportExchange(link, profile.firmware.hid or Hid(report_length=8), wire.report_octets)
    question = wire.output_report(wire.encode_message(Message(Way.HOST, wire.READ_MEMORY)))
    return await cuff.ask([question], _whole)


def _whole(octets: bytes) -> Dump | None:
    length = wire.whole_length(octets)
    return None if length is None or len(octets) < length else wire.decode_dump(octets)


def _reading(record: Record, identity: DeviceIdentity, profile: Profile) -> Reading:
    failed = record.systolic == 0
    return Reading(
        device=identity,
        kind=Kind.BLOOD_PRESSURE,
        components=pressure_figures(
            systolic=record.systolic, diastolic=record.diastolic, pulse=record.pulse, failed=failed
        ),
        reported_time=ReportedTime(record.time, record.local),
        profile=profile.id,
        raw=record.octets,
        annotations=annotations(record, failed=failed),
    )


def annotations(record: Record, *, failed: bool) -> tuple[str, ...]:
    """The cuff's own flags, by name."""
    flags = {
        "irregular_pulse": record.irregular,
        "cuff_too_loose": not record.cuff_ok,
        "failed_measurement": failed,
    }
    return tuple(name for name, is_set in flags.items() if is_set)
