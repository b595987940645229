"""What every simulated Bluetooth device has: a face (advertising, Device Information), a clock, bonds, and bad days."""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta

from bumble import att, core, data_types, gatt, hci
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Descriptor, Service
from bumble.keys import KeyStore
from bumble.pairing import PairingConfig, PairingDelegate

from device_drivers.codecs.date_time import CurrentTime, DateTime, encode_current_time, encode_date_time
from device_drivers.codecs.isens_clock import decode_isens_clock
from device_drivers.errors import CodecError
from device_drivers.simulators.device import Now
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from device_drivers.simulators.virtual_radio import VirtualRadio
from firmware_profiles.schema import Ble, Profile

_ADVERTISING_INTERVAL_MS = 30.0

READ = Characteristic.Properties.READ
WRITE = Characteristic.Properties.WRITE
NOTIFY = Characteristic.Properties.NOTIFY
INDICATE = Characteristic.Properties.INDICATE


class Peripheral:
    """A device that is switched on by ``power_on`` and talks to one central at a time.

    Subclasses give ``main_characteristics`` and say when there is ``news``; they push values with ``push``.
    """

    def __init__(self, profile: Profile, spec: BleDeviceSpec, now: Now) -> None:
        if profile.firmware.ble is None:
            raise ValueError(f"profile {profile.id} is not a BLE profile")
        self.profile = profile
        self.spec = spec
        self.ble: Ble = profile.firmware.ble
        self.connection: Connection | None = None
        self._now = now
        self._skew = timedelta(seconds=spec.clock_skew_s)
        self._device: Device | None = None
        self._pushed = 0
        self._drop_at = spec.faults.drop_after
        self._connected_at = 0.0
        self._has_just_bonded = False
        self._news = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._connected = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def device(self) -> Device:
        """The host stack; only once powered on."""
        if self._device is None:
            raise RuntimeError(f"{self.spec.address} is switched off")
        return self._device

    @property
    def pushed(self) -> int:
        """How many values it has sent over its life, as the faults count them."""
        return self._pushed

    def clock(self) -> datetime:
        """What its display shows: naive."""
        return self._now().replace(tzinfo=None) + self._skew

    def set_clock_skew(self, skew: timedelta) -> None:
        """The patient changes the clock, or it drifts."""
        self._skew = skew

    def measure(self, record: BleRecordSpec) -> None:
        """A measurement, ``age_s`` before now."""
        raise NotImplementedError

    def has_untaken(self) -> bool:
        """Whether it holds something that no central has taken."""
        raise NotImplementedError

    def main_characteristics(self) -> list[Characteristic[bytes]]:
        """What its main service offers."""
        raise NotImplementedError

    async def power_on(self, radio: VirtualRadio, key_store: KeyStore | None = None) -> None:
        """Join the radio and begin to advertise."""
        device = await radio.join(self.spec.local_name or self.profile.device.model, self.spec.address, key_store)
        self._device = device
        device.pairing_config_factory = lambda _connection: PairingConfig(delegate=_Display(self.ble, self.spec))
        device.add_services(self._services())
        device.on(Device.EVENT_CONNECTION, self._on_connection)
        self.run(self._advertise())

    def drop_after(self, values: int) -> None:
        """Hang up once so many more values have been pushed."""
        self._drop_at = self._pushed + values

    def power_off(self) -> None:
        """Stop whatever it is doing; its radio falls silent with the radio."""
        for task in self._tasks:
            task.cancel()

    async def forget_bonds(self) -> None:
        """The patient resets it, or somebody was rude to it: whoever comes next has to pair again."""
        if self.device.keystore is not None:
            await self.device.keystore.delete_all()

    def is_ready(self) -> bool:
        """Whether it answers a subscription at all: not too soon, and not in the connection that made the bond."""
        since_connected = asyncio.get_running_loop().time() - self._connected_at
        return since_connected * 1000 >= self.ble.settle_ms and not (
            self.ble.disconnect_after_bond and self._has_just_bonded
        )

    def run(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something beside the conversation, until it is switched off."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def has_news(self) -> None:
        """Advertise: there is something new."""
        self._news.set()

    async def push(self, characteristic: Characteristic[bytes], value: bytes, *, indicate: bool) -> bool:
        """Send a value that counts towards the faults. False once the link is gone, or nobody listens any more."""
        connection = self.connection
        if connection is None or not self.is_subscribed(characteristic):
            return False
        self._pushed += 1
        if self._pushed != self.spec.faults.omit:
            await self.send(characteristic, value, indicate=indicate)
        if self.spec.faults.rest_s > 0:
            await asyncio.sleep(self.spec.faults.rest_s)
        if self._pushed == self._drop_at:
            await connection.drain()
            await connection.disconnect(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
        return self.connection is not None

    async def send(self, characteristic: Characteristic[bytes], value: bytes, *, indicate: bool) -> None:
        """Send a value to whoever has subscribed."""
        if self.connection is None:
            return
        if indicate:
            await self.connection.cancel_on_disconnection(
                self.device.indicate_subscriber(self.connection, characteristic, value)
            )
        else:
            await self.device.notify_subscriber(self.connection, characteristic, value)

    def awaits_confirmation(self) -> bool:
        """Whether the central has not yet confirmed the last indication."""
        pending = self.device.gatt_server.pending_confirmations.get(self.connection) if self.connection else None
        return pending is not None and not pending.done()

    def is_subscribed(self, characteristic: Characteristic[bytes]) -> bool:
        """Whether the central has configured this characteristic's descriptor."""
        subscriptions = self.device.gatt_server.subscribers.get(self.connection, {}) if self.connection else {}
        return any(subscriptions.get(characteristic.handle, b""))

    def secured(
        self, uuid: int, properties: Characteristic.Properties, value: CharacteristicValue[bytes] | bytes
    ) -> Characteristic[bytes]:
        """A characteristic that is used over an encrypted link only, where the model bonds at all."""
        characteristic: Characteristic[bytes] = Characteristic(
            core.UUID.from_16_bits(uuid), properties, self._permissions(), value
        )
        if properties & (NOTIFY | INDICATE):
            configuration = self.device.gatt_server.make_descriptor_value(characteristic)
            characteristic.descriptors = [
                Descriptor(gatt.GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, self._permissions(), configuration)
            ]
        return characteristic

    def _permissions(self) -> att.Attribute.Permissions:
        open_to_all = att.Attribute.READABLE | att.Attribute.WRITEABLE
        if self.ble.pairing.method == "none":
            return open_to_all
        return open_to_all | att.Attribute.READ_REQUIRES_ENCRYPTION | att.Attribute.WRITE_REQUIRES_ENCRYPTION

    def _services(self) -> list[Service]:
        main = self.main_characteristics()
        services = [Service(gatt.GATT_DEVICE_INFORMATION_SERVICE, self._device_information())]
        clock = self.profile.firmware.clock
        if clock.readable and clock.source == "date_time":
            main.append(self.secured(0x2A08, READ, CharacteristicValue(read=self._read_date_time)))
        if clock.readable and clock.source == "current_time":
            current = self.secured(0x2A2B, READ, CharacteristicValue(read=self._read_current_time))
            services.append(Service(gatt.GATT_CURRENT_TIME_SERVICE, [current]))
        if self.spec.battery_percent is not None:
            level = self.secured(0x2A19, READ, bytes((self.spec.battery_percent,)))
            services.append(Service(gatt.GATT_BATTERY_SERVICE, [level]))
        if clock.source == "vendor":
            own = self.secured(0xFFF1, WRITE | NOTIFY, CharacteristicValue(write=self._set_clock))
            services.append(Service(core.UUID.from_16_bits(0xFFF0), [own]))
        return [*services, Service(core.UUID(self.ble.advertises), main)]

    def _device_information(self) -> list[Characteristic[bytes]]:
        facts = {
            0x2A29: self.profile.device.maker.encode(),
            0x2A24: self.profile.device.model.encode(),
            0x2A25: self.spec.serial_number.encode(),
            0x2A26: self.spec.firmware.encode(),
        }
        return [
            Characteristic(core.UUID.from_16_bits(uuid), READ, att.Attribute.READABLE, fact)
            for uuid, fact in facts.items()
        ]

    def _read_date_time(self, _connection: Connection) -> bytes:
        return encode_date_time(DateTime.at(self.clock()))

    def _read_current_time(self, _connection: Connection) -> bytes:
        local = self.clock()
        return encode_current_time(CurrentTime(DateTime.at(local), local.isoweekday(), 0, 0))

    def _set_clock(self, _connection: Connection, octets: bytes) -> None:
        try:
            shown = decode_isens_clock(octets).local
        except CodecError as error:
            raise att.ATT_Error(att.ATT_INVALID_ATTRIBUTE_LENGTH_ERROR) from error
        if shown is not None:
            self.set_clock_skew(shown - self._now().replace(tzinfo=None))

    def _on_connection(self, connection: Connection) -> None:
        self.connection = connection
        self._hung_up.clear()
        self._connected.set()
        self._connected_at = asyncio.get_running_loop().time()
        self._has_just_bonded = False
        connection.on(Connection.EVENT_DISCONNECTION, self._on_disconnection)
        connection.on(Connection.EVENT_PAIRING, self._on_pairing)

    def _on_pairing(self, _keys: object) -> None:
        self._has_just_bonded = True

    def _on_disconnection(self, _reason: int) -> None:
        self.connection = None
        self._connected.clear()
        self._hung_up.set()

    async def _advertise(self) -> None:
        while True:
            self._news.clear()
            await self.device.start_advertising(
                advertising_data=self._advertising_data(),
                advertising_interval_min=_ADVERTISING_INTERVAL_MS,
                advertising_interval_max=_ADVERTISING_INTERVAL_MS,
            )
            while not await self._came(self._connected, self.spec.advertise_for_s):
                if self._may_sleep():
                    await self.device.stop_advertising()
                    break
            else:
                await self._hung_up.wait()
                await self._settled()
            if self._may_sleep():
                await self._came(self._news, self.spec.advertise_every_s)

    async def _settled(self) -> None:
        """Once the procedures of the last conversation have seen that it is over."""
        others = self._tasks - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)

    def _may_sleep(self) -> bool:
        return self.spec.advertise_every_s > 0 and not self.has_untaken()

    async def _came(self, event: asyncio.Event, timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                await event.wait()
        except TimeoutError:
            return False
        return True

    def _advertising_data(self) -> bytes:
        name = self.spec.local_name or self.profile.device.model
        return bytes(
            core.AdvertisingData(
                [
                    data_types.Flags(
                        core.AdvertisingData.Flags.LE_GENERAL_DISCOVERABLE_MODE
                        | core.AdvertisingData.Flags.BR_EDR_NOT_SUPPORTED
                    ),
                    data_types.CompleteListOf16BitServiceUUIDs([core.UUID(self.ble.advertises)]),
                    data_types.CompleteLocalName(name),
                ]
            )
        )


class _Display(PairingDelegate):
    """The device's side of pairing: six digits on its display, or nothing at all."""

    def __init__(self, ble: Ble, spec: BleDeviceSpec) -> None:
        only_key = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
        capability = (
            PairingDelegate.IoCapability.DISPLAY_OUTPUT_ONLY
            if ble.pairing.method == "passkey"
            else PairingDelegate.IoCapability.NO_OUTPUT_NO_INPUT
        )
        super().__init__(capability, only_key, only_key)
        self._passkey = spec.passkey

    async def generate_passkey(self) -> int:
        """What the display will show."""
        return await super().generate_passkey() if self._passkey is None else self._passkey
