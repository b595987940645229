"""Battery Service (0x180F): a device that will soon stay dark is worth a word while it still talks."""

from device_drivers.errors import ProtocolError
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink

BATTERY_LEVEL = sig_uuid(0x2A19)
LOW_PERCENT = 20


class BatteryLow(str):
    """The warning that a device's battery is low: text like the others, and told from them by its type."""

    __slots__ = ()


async def battery_warnings(link: BleLink) -> tuple[str, ...]:
    """A warning for the visit's report where the level is low; nothing where the device does not say. LinkError."""
    if not link.has_characteristic(BATTERY_LEVEL):
        return ()
    try:
        octets = await link.read(BATTERY_LEVEL)
    except ProtocolError:
        return ()
    # One octet, per cent; what is above 100 says nothing.
    low = len(octets) == 1 and octets[0] <= LOW_PERCENT
    return (BatteryLow(f"the device's battery is at {octets[0]} %"),) if low else ()
