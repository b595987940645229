"""A room full of simulated Bluetooth devices, from its specification."""

from device_drivers.simulators.ble_cuff import Cuff
from device_drivers.simulators.ble_glucometer import Glucometer
from device_drivers.simulators.ble_peripheral import Peripheral
from device_drivers.simulators.device import Now
from device_drivers.simulators.memories import with_memory
from device_drivers.simulators.radio_spec import BleDeviceSpec, NewBleRecord, RadioSpec
from device_drivers.simulators.virtual_radio import VirtualRadio, key_store_at
from firmware_profiles.catalogue import Catalogue

_KINDS: dict[str, type[Glucometer] | type[Cuff]] = {
    "bluetooth_glucose": Glucometer,
    "bluetooth_blood_pressure": Cuff,
}


class SimulatedRoom:
    """The devices on one virtual radio, by address and by name. Make it with ``furnish``."""

    def __init__(self, radio: VirtualRadio) -> None:
        self.radio = radio
        self.devices: dict[str, Peripheral] = {}
        self._names: dict[str, str] = {}

    async def add(self, device: Peripheral, key_store: str | None = None) -> None:
        """Switch a device on."""
        address = device.spec.address.upper()
        await device.power_on(self.radio, key_store_at(key_store, address))
        self.devices[address] = device
        self._names[device.spec.name or address] = address

    def measure(self, new: NewBleRecord) -> bool:
        """A running device measures now; False where it is none of these."""
        device = self.called(new.device)
        if device is not None:
            device.measure(new.record)
        return device is not None

    def called(self, name: str) -> Peripheral | None:
        """The device of this name or address."""
        return self.devices.get(self._names.get(name, name.upper()))

    async def close(self) -> None:
        """Switch everything off."""
        for device in self.devices.values():
            device.power_off()
        await self.radio.close()


async def furnish(spec: RadioSpec, catalogue: Catalogue, now: Now) -> SimulatedRoom:
    """Every device of the specification, switched on. UnknownProfile, KeyError for a flag that the format lacks."""
    room = SimulatedRoom(VirtualRadio())
    for device in spec.devices:
        await room.add(simulated(device, catalogue, now), spec.key_store)
    return room


def simulated(spec: BleDeviceSpec, catalogue: Catalogue, now: Now) -> Peripheral:
    """One device, switched off. UnknownProfile, ValueError where the profile is not a Bluetooth one."""
    profile = catalogue.get(spec.profile, spec.firmware)
    return _KINDS[profile.device.driver](profile, with_memory(spec, profile, now()), now)
