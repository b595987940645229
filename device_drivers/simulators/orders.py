"""What the devices of a running home are told: to measure, and to be unplugged in the middle of a transfer."""

import asyncio
from collections.abc import Mapping

from device_drivers.simulators.ble_peripheral import Peripheral
from device_drivers.simulators.clock import utc_now
from device_drivers.simulators.radio import SimulatedRoom
from device_drivers.simulators.radio_spec import BleRecordSpec, Order
from device_drivers.simulators.serial_command import Door
from device_drivers.simulators.spec import Unplug


class Home:
    """The running devices of a home, on cables and on the radio."""

    def __init__(self, doors: Mapping[str, Door], room: SimulatedRoom | None) -> None:
        self._doors = doors
        self._room = room
        self._pulled: dict[str, asyncio.Task[None]] = {}

    def obey(self, order: Order) -> dict[str, object] | None:
        """Do it; the answer, None where no device is called so.

        An order with an ``id`` is answered with it, and with the time at which it was obeyed, aware and UTC.
        """
        device = self._doors.get(order.device) or (self._room.called(order.device) if self._room else None)
        if device is None:
            return None
        answer: dict[str, object] = {"device": order.device}
        if order.unplug is not None:
            self._unplug(order.device, device, order.unplug)
            answer["unplugs"] = True
        at = utc_now()  # the device looks at its own clock microseconds later
        if order.record is not None:
            _measure(device, order.record)
            answer["measured"] = True
        return answer if order.id is None else answer | {"id": order.id, "at": at.isoformat()}

    def _unplug(self, name: str, device: Door | Peripheral, unplug: Unplug) -> None:
        if isinstance(device, Peripheral):
            device.drop_after(unplug.after)
            return
        device.line.unplug_after(unplug.after)
        if (earlier := self._pulled.get(name)) is None or earlier.done():
            self._pulled[name] = asyncio.create_task(_put_back(device, unplug.for_s))


def _measure(device: Door | Peripheral, record: BleRecordSpec) -> None:
    # A Bluetooth record is a serial one with more fields: one shape serves both.
    if isinstance(device, Peripheral):
        device.measure(record)
    else:
        device.line.measure(record)


async def _put_back(door: Door, for_s: float) -> None:
    """Once the cable has been pulled, put it back after so many seconds."""
    await door.pulled.wait()
    await asyncio.sleep(for_s)
    door.line.plug_in()
    door.plug_in()
