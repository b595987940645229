"""Which profiles can be spoken at a URL, and the way to speak one: link and driver of a profile."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from device_drivers.drivers.conversation import Clock, Event
from device_drivers.links.hid import open_hid
from device_drivers.links.ports import Tap
from device_drivers.links.serial import open_serial
from device_drivers.support.exit_codes import BadUsage
from firmware_profiles.catalogue import Catalogue
from firmware_profiles.schema import Profile

_HIDRAW = "/dev/hidraw"


def transport_of(url: str) -> str:
    """``hid`` for a hidraw device, or the socket of a simulated one; ``serial`` for every other path or URL."""
    return "hid" if url.startswith(_HIDRAW) or Path(url).is_socket() else "serial"


def profiles_at(url: str, catalogue: Catalogue, profile_id: str | None = None) -> list[Profile]:
    """All profiles, or all firmware ranges of one, that are reached so. UnknownProfile, BadUsage for none."""
    transport = transport_of(url)
    if profile_id is not None:
        catalogue.file(profile_id)
    found = [
        profile for profile in catalogue if profile.firmware.transport == transport and profile_id in (None, profile.id)
    ]
    if not found:
        raise BadUsage(
            f"{profile_id} is not reached by {transport} ({url})"
            if profile_id
            else f"no profile is reached by {transport}"
        )
    return found


@asynccontextmanager
async def conversation(
    url: str, profile: Profile, now: Clock, tap: Tap | None = None
) -> AsyncIterator[AsyncIterator[Event]]:
    """The driver's events, from the beginning of the device's memory. LinkError where the port cannot be opened."""
    read = import_module(f"device_drivers.drivers.{profile.device.driver}").read
    async with _open(url, profile, tap) as link, aclosing(read(link, profile, None, now)) as events:
        yield events


def _open(url: str, profile: Profile, tap: Tap | None) -> AbstractAsyncContextManager[Any]:
    if profile.firmware.transport == "hid":
        return open_hid(url, profile, tap)
    return open_serial(url, profile, tap)
