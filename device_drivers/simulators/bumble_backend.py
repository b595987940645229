"""bleak on bumble: a scanner and a client type that carry bleak's public API over a bumble host stack.

``BleakScanner(backend=...)`` and ``BleakClient(backend=...)`` take types, so ``make_backend`` makes a pair of types
bound to one host. Errors are raised as BlueZ's backend raises them, so that ``links.ble`` has one mapping.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode
from bumble import att, core, gatt_client, hci
from bumble.device import Advertisement, Connection, Device, Peer

from device_drivers.errors import RadioOff
from device_drivers.links.ble import BleBackend

_MTU = 247
_PROPERTIES: dict[int, CharacteristicPropertyName] = {
    0x01: "broadcast",
    0x02: "read",
    0x04: "write-without-response",
    0x08: "write",
    0x10: "notify",
    0x20: "indicate",
}


@dataclass
class _Central:
    """What the clients and scanners of one host share: one scan, one connection attempt at a time."""

    device: Device
    scans: int = 0
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    scanning: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def start_scan(self) -> None:
        async with self.scanning:
            self.scans += 1
            if self.scans == 1:
                await self.device.start_scanning()

    async def stop_scan(self) -> None:
        async with self.scanning:
            self.scans -= 1
            if self.scans == 0:
                await self.device.stop_scanning()


def make_backend(device: Device) -> BleBackend:
    """The pair of bleak backend types that work through this powered-on host."""
    central = _Central(device)

    class BumbleScanner(_BumbleScanner):
        _central = central

    class BumbleClient(_BumbleClient):
        _central = central

    return BleBackend(scanner=BumbleScanner, client=BumbleClient, adapter=BumbleAdapter(central))


class BumbleAdapter:
    """The port ``RadioAdapter`` on a bumble host. ``power_cycles`` counts; ``off`` says why it cannot be used."""

    def __init__(self, central: _Central) -> None:
        self._central = central
        self.power_cycles = 0
        self.off: str | None = None

    async def is_bonded(self, address: str) -> bool:
        """Whether the host's key store has it."""
        store = self._central.device.keystore
        return store is not None and await store.get(_peer(address)) is not None

    async def close(self, address: str) -> None:
        """End its connections."""
        for connection in list(self._central.device.connections.values()):
            if str(connection.peer_address) == _peer(address):
                await connection.disconnect()

    async def forget(self, address: str) -> None:
        """Drop its key."""
        await self.close(address)
        store = self._central.device.keystore
        if store is not None and await store.get(_peer(address)) is not None:
            await store.delete(_peer(address))

    async def power_cycle(self) -> None:
        """Off and on: whoever was connected is not any more."""
        self.power_cycles += 1
        for connection in list(self._central.device.connections.values()):
            await connection.disconnect()
        await self._central.device.power_off()
        await self._central.device.power_on()

    async def power_on(self) -> bool:
        """A virtual adapter is never off, unless somebody says so."""
        if self.off is not None:
            raise RadioOff(self.off)
        return False


def _peer(address: str) -> str:
    return str(hci.Address(address, hci.Address.RANDOM_DEVICE_ADDRESS))


class _BumbleScanner(BaseBleakScanner):
    _central: _Central

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        _scanning_mode: str,
        **_platform: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        self.seen_devices = {}
        self._central.device.on(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self._central.start_scan()

    async def stop(self) -> None:
        self._central.device.remove_listener(Device.EVENT_ADVERTISEMENT, self._on_advertisement)
        await self._central.stop_scan()

    def _on_advertisement(self, heard: Advertisement) -> None:
        data = AdvertisementData(
            local_name=_local_name(heard),
            manufacturer_data={},
            service_data={},
            service_uuids=[_text(uuid) for uuid in _service_uuids(heard)],
            tx_power=None,
            rssi=heard.rssi,
            platform_data=(heard,),
        )
        if self.is_allowed_uuid(data.service_uuids):
            address = heard.address.to_string(with_type_qualifier=False)
            found = self.create_or_update_device(address, address, data.local_name, heard.address, data)
            self.call_detection_callbacks(found, data)


class _BumbleClient(BaseBleakClient):
    _central: _Central

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_platform: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        known = isinstance(address_or_ble_device, BLEDevice) and address_or_ble_device.details
        self._peer_address = known or hci.Address(self.address, hci.Address.RANDOM_DEVICE_ADDRESS)
        self._connection: Connection | None = None
        self._peer: Peer | None = None

    @property
    def name(self) -> str:
        return self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        return self._connection.att_mtu if self._connection else att.ATT_DEFAULT_MTU

    @property
    def is_connected(self) -> bool:
        return self._connection is not None

    async def connect(self, pair: bool, **_platform: Any) -> None:
        if self._connection is not None:
            raise BleakError("Client is already connected")
        self._connection = connection = await self._connect()
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        try:
            if pair:
                await self.pair()
            with _in_bleaks_words():
                self._peer = Peer(connection)
                await self._peer.request_mtu(_MTU)
                self.services = await _discover(self._peer)
        except BaseException:
            await self.disconnect()
            raise

    async def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.handle in self._central.device.connections:
            with _in_bleaks_words():
                await connection.disconnect()

    async def pair(self, *_args: Any, **_platform: Any) -> None:
        """Encrypt with the key of the bond, or bond now. A refusal reads as it does from BlueZ."""
        connection = self._live()
        store = self._central.device.keystore
        bonded = store is not None and await store.get(str(connection.peer_address)) is not None
        try:
            await (connection.encrypt() if bonded else connection.pair())
        except (core.BaseBumbleError, hci.HCI_Error) as error:
            raise BleakDBusError("org.bluez.Error.AuthenticationFailed", [str(error)]) from error
        except asyncio.CancelledError as error:
            if _is_ours():
                raise
            raise BleakDBusError("org.bluez.Error.AuthenticationCanceled", ["disconnected while pairing"]) from error

    async def unpair(self) -> None:
        store = self._central.device.keystore
        address = str(self._peer_address)
        await self.disconnect()
        if store is not None and await store.get(address) is not None:
            await store.delete(address)

    async def read_gatt_char(self, characteristic: BleakGATTCharacteristic, **_platform: Any) -> bytearray:
        return bytearray(await self._read(characteristic.handle))

    async def read_gatt_descriptor(self, descriptor: BleakGATTDescriptor, **_platform: Any) -> bytearray:
        return bytearray(await self._read(descriptor.handle))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        await self._write(characteristic.handle, bytes(data), response)

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        await self._write(descriptor.handle, bytes(data), True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_platform: Any
    ) -> None:
        self._live()
        proxy = cast(gatt_client.CharacteristicProxy[bytes], characteristic.obj)
        with _in_bleaks_words():
            await proxy.subscribe(lambda value: callback(bytearray(value)))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        self._live()
        with _in_bleaks_words():
            await cast(gatt_client.CharacteristicProxy[bytes], characteristic.obj).unsubscribe()

    async def _connect(self) -> Connection:
        device = self._central.device
        async with self._central.connecting:
            try:
                return await device.connect(self._peer_address, timeout=self._timeout)
            except core.TimeoutError as error:
                raise TimeoutError(f"{self.address} does not answer") from error
            except core.BaseBumbleError as error:
                raise BleakError(str(error)) from error
            except asyncio.CancelledError:
                await asyncio.shield(device.send_command(hci.HCI_LE_Create_Connection_Cancel_Command()))
                raise

    async def _read(self, handle: int) -> bytes:
        self._live()
        with _in_bleaks_words():
            return await self._server().read_value(handle)

    async def _write(self, handle: int, data: bytes, response: bool) -> None:
        self._live()
        with _in_bleaks_words():
            await self._server().write_value(handle, data, with_response=response)

    def _server(self) -> Peer:
        if self._peer is None:
            raise BleakError("Not connected")
        return self._peer

    def _live(self) -> Connection:
        if self._connection is None:
            raise BleakError("Not connected")
        return self._connection

    def _on_disconnection(self, _reason: int) -> None:
        was_ours, self._connection = self._connection is None, None
        if self._disconnected_callback is not None and not was_ours:
            self._disconnected_callback()


@contextmanager
def _in_bleaks_words() -> Iterator[None]:
    """ATT errors under their codes. A request that the disconnection cut off is UNLIKELY_ERROR, as from BlueZ."""
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(error.error_code) from error
    except core.BaseBumbleError as error:
        raise BleakError(str(error)) from error
    except asyncio.CancelledError as error:
        if _is_ours():
            raise
        raise BleakGATTProtocolError(BleakGATTProtocolErrorCode.UNLIKELY_ERROR) from error


def _is_ours() -> bool:
    """Whether our own task is being cancelled; if not, bumble cancelled a request whose connection is gone."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _discover(peer: Peer) -> BleakGATTServiceCollection:
    found = BleakGATTServiceCollection()
    for service in await peer.discover_services():
        added = BleakGATTService(service, service.handle, _text(service.uuid))
        found.add_service(added)
        for characteristic in await service.discover_characteristics():
            found.add_characteristic(_characteristic(characteristic, added, peer))
            for descriptor in await characteristic.discover_descriptors():
                found.add_descriptor(
                    BleakGATTDescriptor(
                        descriptor,
                        descriptor.handle,
                        _text(descriptor.type),
                        found.characteristics[characteristic.handle],
                    )
                )
    return found


def _characteristic(
    proxy: gatt_client.CharacteristicProxy[bytes], service: BleakGATTService, peer: Peer
) -> BleakGATTCharacteristic:
    return BleakGATTCharacteristic(
        proxy,
        proxy.handle,
        _text(proxy.uuid),
        [name for bit, name in _PROPERTIES.items() if proxy.properties & bit],
        lambda: peer.connection.att_mtu - 3,
        service,
    )


def _text(uuid: core.UUID) -> str:
    return str(UUID(uuid.to_hex_str("-")) if len(uuid.uuid_bytes) == 16 else UUID(_whole(uuid)))


def _whole(uuid: core.UUID) -> str:
    return f"{int.from_bytes(uuid.uuid_bytes, 'little'):08x}-0000-1000-8000-00805f9b34fb"


def _local_name(heard: Advertisement) -> str | None:
    name = heard.data.get(core.AdvertisingData.COMPLETE_LOCAL_NAME)
    return name if isinstance(name, str) else None


def _service_uuids(heard: Advertisement) -> list[core.UUID]:
    kinds = (
        core.AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS,
        core.AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
    )
    return [uuid for kind in kinds for listed in heard.data.get_all(kind) for uuid in cast(list[core.UUID], listed)]
