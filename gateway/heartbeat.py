"""How the gateway is: said at birth, at every heartbeat, when a device's state changes, and by the last will."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from gateway.bond_ladder import Ladder
from gateway.config import DeviceEntry
from gateway.outbox import Outbox
from gateway.sightings import Sightings
from gateway.wire.v1 import VERSION, StatusMessage, WireCommandState, WireDeviceState


def _installed_version() -> str:
    """Ours, from the name of the installed distribution: importlib.metadata costs 1 MB of the 45 that a gateway has."""
    for folder in sys.path:
        for found in Path(folder).glob("pulsepost-*.dist-info"):
            return found.name.removeprefix("pulsepost-").removesuffix(".dist-info")
    from importlib.metadata import version  # installed in a way of its own

    return version("pulsepost")


SOFTWARE = _installed_version()
# What the broker says for us when we cannot.
LAST_WILL = StatusMessage(v=VERSION, state="offline")
# A sentence is enough; 20 devices' sentences still make a short message.
MAX_TEXT = 300
# The outcome for which the wire tells what answered (``visit.Outcome``).
NO_PROFILE = "no_profile"


def status(outbox: Outbox, at: datetime) -> StatusMessage:
    """Online, with what waits in the outbox. OutboxError."""
    depth = outbox.depth()
    oldest_unsent_s = max(0, round((at - depth.oldest).total_seconds())) if depth.oldest else None
    return StatusMessage(
        v=VERSION,
        state="online",
        at=at,
        software=SOFTWARE,
        outbox_depth=depth.rows,
        oldest_unsent_s=oldest_unsent_s,
    )


class Heart:
    """The whole status of a running gateway, and whether it has changed since it was last said."""

    def __init__(
        self,
        outbox: Outbox,
        devices: Sequence[DeviceEntry],
        sightings: Sightings,
        now: Callable[[], datetime],
        clock_synchronised: Callable[[], bool | None],
        certificate_until: Callable[[], datetime | None] = lambda: None,
        commands: Callable[[], tuple[WireCommandState, ...]] = tuple,
    ) -> None:
        self._outbox = outbox
        self._devices = devices
        self._sightings = sightings
        self._now = now
        self._started_at = now()
        self._clock_synchronised = clock_synchronised
        self._certificate_until = certificate_until
        self._commands = commands
        self._said: object = None

    def status(self) -> StatusMessage:
        """For the wire, now. OutboxError."""
        message = self._status()
        self._said = _news_in(message)
        return message

    def has_news(self) -> bool:
        """Whether somebody may have to act on what was not said yet. OutboxError."""
        return _news_in(self._status()) != self._said

    def _status(self) -> StatusMessage:
        return msgspec.structs.replace(
            status(self._outbox, self._now()),
            started_at=self._started_at,
            clock_synchronised=self._clock_synchronised(),
            disk_free_octets=self._outbox.disk_free_octets(),
            storage_error=_short(self._outbox.shortage()),
            readings_damaged=self._outbox.damaged() or None,
            certificate_until=self._certificate_until(),
            versions=_versions(),
            devices=tuple(self._device(entry) for entry in self._devices),
            commands=self._commands(),
        )

    def _device(self, entry: DeviceEntry) -> WireDeviceState:
        last, seen = self._outbox.visit(entry.name), self._outbox.seen(entry.name)
        state = WireDeviceState(
            name=entry.name,
            profile=entry.profile,
            transport=entry.transport,
            device_id=seen.device_id if seen else None,
            heard_at=self._sightings.heard_at(entry.name),
            repairs=_repairs(self._outbox.ladder(entry.name)),
        )
        if last is None:
            return state
        return msgspec.structs.replace(
            state,
            visited_at=last.at,
            outcome=last.outcome,
            reason=_short(last.reason),
            identity=_short(last.identity) if last.outcome == NO_PROFILE else None,
            complete_at=last.complete_at,
            holds=last.holds,
            battery_low=last.battery_low,
        )


def _news_in(message: StatusMessage) -> object:
    """What of a status is told at once. Reasons are not: some count, and would be news each time."""
    devices = [(d.name, d.outcome, d.device_id, d.battery_low, d.repairs) for d in message.devices]
    commands = [(c.command_id, c.step) for c in message.commands]
    return message.storage_error is None, message.readings_damaged, devices, commands


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 1]}…"


def _versions() -> dict[str, str]:
    python = ".".join(map(str, sys.version_info[:3]))
    return {"python": python, "linux": os.uname().release, "pulsepost": SOFTWARE}


def _repairs(ladder: Ladder) -> dict[str, int]:
    """How often each repair was tried since the outbox was made; those that were not are left out."""
    counted = {
        "closed": ladder.closed,
        "forgotten": ladder.forgotten,
        "power_cycled": ladder.power_cycled,
        "given_up": ladder.given_up,
    }
    return {step: times for step, times in counted.items() if times}


async def beat(say: Callable[[], None], interval_s: float) -> None:
    """Call ``say`` at an interval, for ever."""
    while True:
        await asyncio.sleep(interval_s)
        say()
