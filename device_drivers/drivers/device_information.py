"""Device Information Service (0x180A): who the device says it is, whatever its main service."""

from uuid import UUID

from device_drivers.errors import ProtocolError
from device_drivers.identity import DeviceIdentity
from device_drivers.links.allow_list import sig_uuid
from device_drivers.links.ports import BleLink
from firmware_profiles.schema import Profile

MANUFACTURER_NAME = sig_uuid(0x2A29)
MODEL_NUMBER = sig_uuid(0x2A24)
SERIAL_NUMBER = sig_uuid(0x2A25)
FIRMWARE_REVISION = sig_uuid(0x2A26)
SYSTEM_ID = sig_uuid(0x2A23)


async def read_identity(link: BleLink, profile: Profile) -> DeviceIdentity:
    """What the device says; where it does not name maker or model, the profile's names stand in. LinkError."""
    return DeviceIdentity(
        manufacturer=await _text(link, MANUFACTURER_NAME) or profile.device.maker,
        model=await _text(link, MODEL_NUMBER) or profile.device.model,
        serial_number=await _text(link, SERIAL_NUMBER),
        system_id=_eui64(await _octets(link, SYSTEM_ID)),
        address=link.address,
        firmware=await _text(link, FIRMWARE_REVISION),
    )


async def _octets(link: BleLink, characteristic: UUID) -> bytes:
    """Empty where it is missing or not readable: every characteristic of this service is optional."""
    if not link.has_characteristic(characteristic):
        return b""
    try:
        return await link.read(characteristic)
    except ProtocolError:
        return b""


async def _text(link: BleLink, characteristic: UUID) -> str | None:
    text = (await _octets(link, characteristic)).decode("utf-8", errors="replace")
    return text.split("\0")[0].strip() or None


def _eui64(system_id: bytes) -> str | None:
    """16 lower-case hex digits, organisation first; on the wire the lowest octet comes first."""
    return system_id[7::-1].hex() if len(system_id) >= 8 and any(system_id) else None
