"""Who a device says it is."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class DeviceIdentity:
    """A personal health device as it identified itself in one session.

    ``address`` is how it was reached (a Bluetooth address; over a cable the gateway's id and the device's name in its
    configuration) and is the weakest identifier: used for ``device_id`` only where the device gives nothing better.
    """

    manufacturer: str
    model: str
    serial_number: str | None = None
    system_id: str | None = None  # EUI-64 as 16 lower-case hex digits (Bluetooth System ID characteristic)
    address: str | None = None
    firmware: str | None = None

    @cached_property
    def device_id(self) -> str:
        """The one key that ties readings to this device, stable over visits and gateways.

        Best evidence first: serial number, system id, address. Raises ValueError where none is known.
        """
        for scheme, value in (("sn", self.serial_number), ("eui64", self.system_id), ("addr", self.address)):
            if value:
                maker = "".join(c if c.isalnum() else "-" for c in self.manufacturer.lower()).strip("-")
                return f"{maker}:{scheme}:{value}"
        raise ValueError("a device without serial number, system id and address cannot be told from another")
