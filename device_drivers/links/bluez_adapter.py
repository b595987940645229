"""The port ``RadioAdapter`` on BlueZ, over D-Bus: what bleak has no calls for once its client is gone.

``Device1.Disconnect`` also ends the attempts that bluetoothd goes on making after a client has given up, and
``Adapter1.RemoveDevice`` forgets device and bond (it heals a lost one; ``Paired`` stays true by itself: bluez #433).
"""

import asyncio
from typing import Any, cast

from dbus_fast import Variant
from dbus_fast.aio import MessageBus

from device_drivers.errors import LinkError, RadioOff
from device_drivers.links.system_bus import BLUEZ, Refused, call, system_bus

_DEVICE, _ADAPTER, _PROPERTIES = "org.bluez.Device1", "org.bluez.Adapter1", "org.freedesktop.DBus.Properties"
# A controller needs a moment between off and on, or some firmware does not come back.
OFF_S = 1.0
# A bluetoothd that has just started lists its adapters a moment later, and may be switching them on itself.
APPEARS_S = 5.0
_POLL_S = 0.1


class BluezAdapter:
    """One adapter, by its name (``hci0``). ``bus_address`` is the system's where None."""

    def __init__(
        self, name: str, *, bus_address: str | None = None, off_s: float = OFF_S, appears_s: float = APPEARS_S
    ) -> None:
        self._name = name
        self._path = f"/org/bluez/{name}"
        self._bus_address = bus_address
        self._off_s = off_s
        self._appears_s = appears_s

    async def is_bonded(self, address: str) -> bool:
        """``Bonded`` (since BlueZ 5.65), or ``Paired`` where it is too old to say. LinkError."""
        async with system_bus(self._bus_address) as bus:
            found = await self._find(bus, address)
        if found is None:
            return False
        _, properties = found
        stated = properties.get("Bonded", properties.get("Paired"))
        return bool(stated and stated.value)

    async def close(self, address: str) -> None:
        """``Device1.Disconnect``. LinkError."""
        async with system_bus(self._bus_address) as bus:
            if (found := await self._find(bus, address)) is None:
                return
            try:
                await call(bus, (BLUEZ, found[0], _DEVICE), "Disconnect")
            except Refused as error:
                if not error.name.endswith(".NotConnected"):
                    raise

    async def forget(self, address: str) -> None:
        """``Adapter1.RemoveDevice``. LinkError."""
        async with system_bus(self._bus_address) as bus:
            if (found := await self._find(bus, address)) is None:
                return
            try:
                await call(bus, (BLUEZ, self._path, _ADAPTER), "RemoveDevice", "o", found[0])
            except Refused as error:
                if not error.name.endswith(".DoesNotExist"):
                    raise

    async def power_cycle(self) -> None:
        """``Powered`` off and on. LinkError."""
        async with system_bus(self._bus_address) as bus:
            await self._power(bus, False)
            await asyncio.sleep(self._off_s)
            await self._power(bus, True)

    async def power_on(self) -> bool:
        """Wait for the adapter, and switch it on where it is off; whether it was. RadioOff, LinkError."""
        refusal: Refused | None = None
        switched = False
        async with system_bus(self._bus_address) as bus:
            for _ in range(1 + int(self._appears_s / _POLL_S)):
                powered = await self._powered(bus)
                if powered:
                    return switched
                if powered is False:
                    refusal = await self._try_power_on(bus)
                    switched = refusal is None
                if refusal is not None and refusal.name.endswith(".Blocked"):
                    break
                await asyncio.sleep(0 if switched else _POLL_S)
        raise RadioOff(self._advice(refusal))

    async def _powered(self, bus: MessageBus) -> bool | None:
        """None where bluetoothd does not list the adapter."""
        properties = (await _objects(bus)).get(self._path, {}).get(_ADAPTER)
        return None if properties is None else bool(properties["Powered"].value)

    async def _try_power_on(self, bus: MessageBus) -> Refused | None:
        try:
            await self._power(bus, True)
        except Refused as refusal:
            return refusal  # InProgress: bluetoothd is at it itself
        return None

    def _advice(self, refusal: Refused | None) -> str:
        if refusal is None:
            return f"there is no Bluetooth adapter {self._name}: plug it in, or name another in the configuration"
        return f"the Bluetooth adapter {self._name} is off ({refusal}): `rfkill unblock bluetooth`, or use its switch"

    async def _power(self, bus: MessageBus, on: bool) -> None:
        target = (BLUEZ, self._path, _PROPERTIES)
        await call(bus, target, "Set", "ssv", _ADAPTER, "Powered", Variant("b", on))

    async def _find(self, bus: MessageBus, address: str) -> tuple[str, dict[str, Any]] | None:
        """Path and properties of the device; by its address, for the path keeps that of before the bonding."""
        for path, interfaces in (await _objects(bus)).items():
            properties = interfaces.get(_DEVICE)
            if properties and path.startswith(f"{self._path}/") and _text(properties, "Address") == address.upper():
                return path, properties
        return None


async def _objects(bus: MessageBus) -> dict[str, dict[str, dict[str, Any]]]:
    """Everything that bluetoothd lists: path → interface → property → variant. LinkError."""
    (objects,) = await call(bus, (BLUEZ, "/", "org.freedesktop.DBus.ObjectManager"), "GetManagedObjects")
    return cast("dict[str, dict[str, dict[str, Any]]]", objects)


def _text(properties: dict[str, Any], name: str) -> str:
    if name not in properties:
        raise LinkError(f"bluetoothd lists a device without {name}")
    return str(properties[name].value).upper()
