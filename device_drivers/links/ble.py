"""Bluetooth Low Energy through the public API of bleak; the only file here that imports it.

Rules learnt on the real stack (BlueZ 5.66, bleak 3.1), each reproduced before it was written down:

- Pair explicitly, before the first subscription: relying on the implicit elevation after ATT error 0x05 races inside
  bluetoothd and hangs for 30 s.
- ``StartNotify``, never ``AcquireNotify``: the latter silently lost two thirds of a burst of 1,000 records.
- No ``stop_notify`` before the disconnect: writing zeros to the descriptor costs some cuffs their bond.
- Always name the adapter: bleak keeps adapters in a set, so with two of them the default is arbitrary.
- A peer that hangs up in the middle of a transfer shows up *either* in the disconnected callback *or* as ATT error
  0x0E in the write that is in flight. Both become ``LinkLost``.
- A bluetoothd that dies ends neither a scan nor a connection in bleak's eyes: ``RadioService`` tells.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from uuid import UUID

from bleak import BleakClient, BleakScanner
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.exc import (
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from device_drivers.errors import (
    BondLost,
    BondMade,
    DeviceError,
    LinkError,
    LinkLost,
    LinkTimeout,
    ProtocolError,
    ServiceGone,
)
from device_drivers.links.advertising import Freshness
from device_drivers.links.allow_list import GattAllowList, sig_uuid
from device_drivers.links.ports import PasskeyProvider, RadioAdapter, RadioService, Tap
from firmware_profiles.schema import Profile

_NO_KEY = {
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
}
_BLUEZ_NO_KEY = ("AuthenticationFailed", "AuthenticationCanceled", "AuthenticationRejected", "AuthenticationTimeout")
# How long bluetoothd may take to begin or end a scan.
_SCANNER_S = 15.0
# How long the disconnected callback may lag behind the error of the write that the disconnection broke.
_HANG_UP_LAG_S = 1.0


@dataclass(frozen=True, slots=True)
class BleBackend:
    """A pair of bleak backend types; None in its place means the platform's own (BlueZ).

    ``keyboard``: inside its block, what it pairs with is asked of this provider, as BlueZ asks its agent.
    """

    scanner: type[BaseBleakScanner]
    client: type[BaseBleakClient]
    adapter: RadioAdapter
    service: RadioService | None = None
    keyboard: Callable[[PasskeyProvider], AbstractAsyncContextManager[object]] | None = None


def adapter_of(backend: BleBackend | None, name: str) -> RadioAdapter:
    """What repairs the adapter that this backend works through."""
    if backend is not None:
        return backend.adapter
    from device_drivers.links.bluez_adapter import BluezAdapter

    return BluezAdapter(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one step may take, in seconds. Pairing includes a patient who types a passkey."""

    discover_s: float = 20.0
    connect_s: float = 20.0
    pair_s: float = 60.0
    request_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement:
    """A device that was heard. ``found`` is bleak's own handle, of use to ``connect`` only.

    ``heard_at_s`` is on the event loop's clock.
    """

    address: str  # upper case, as Bluetooth addresses are written
    name: str | None
    services: frozenset[UUID]
    rssi: int
    heard_at_s: float = field(compare=False)
    found: BLEDevice = field(repr=False, compare=False)

    def offers(self, service: str) -> bool:
        """Whether it advertises this service (16-bit form such as ``"1808"``, or a whole UUID)."""
        return sig_uuid(service) in self.services


class Scanner:
    """Hears advertisements: ``async with Scanner(...) as scanner: async for advertisement in scanner: ...``.

    Never ends by itself; after ``quiet_s`` without any advertisement it raises LinkTimeout, for a discovery that has
    stuck (bluez #807) says nothing either, and ServiceGone as soon as ``service`` is. A slow reader loses nothing but
    repetitions: per address the latest advertisement waits, so the memory needed is bounded by the number of devices in
    the home. Keep scanning while you connect: BlueZ forgets a device that was never paired soon after the scan stops
    (bleak #377).
    """

    def __init__(
        self,
        services: Iterable[str] = (),
        *,
        backend: BleBackend | None = None,
        adapter: str = "hci0",
        quiet_s: float | None = None,
        service: RadioService | None = None,
    ) -> None:
        self._quiet_s = quiet_s
        self._service = service
        self._loss: asyncio.Event | None = None
        self._watch: asyncio.Task[None] | None = None
        self._freshness = Freshness()
        uuids = [str(sig_uuid(service)) for service in services]
        self._waiting: dict[str, Advertisement] = {}
        self._heard = asyncio.Event()
        self._scanner = BleakScanner(
            self._on_advertisement,
            uuids or None,
            bluez={"adapter": adapter},
            backend=backend.scanner if backend else None,
        )

    async def __aenter__(self) -> "Scanner":
        if self._service is not None:
            self._loss = self._service.loss()
            self._watch = asyncio.create_task(_passed_on(self._loss, self._heard))
        try:
            await self._start()
        except BaseException:
            self._stop_watching()
            raise
        return self

    async def _start(self) -> None:
        with _mapped(None):
            async with asyncio.timeout(_SCANNER_S):
                await self._scanner.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_watching()
        try:
            with _mapped(None):
                async with asyncio.timeout(_SCANNER_S):
                    await self._scanner.stop()
        except LinkError:
            if not self._is_over:
                raise  # otherwise there is nobody left who scans

    def __aiter__(self) -> "Scanner":
        return self

    async def __anext__(self) -> Advertisement:
        try:
            async with asyncio.timeout(self._quiet_s):
                await self._heard.wait()
        except TimeoutError as error:
            raise LinkTimeout(f"nobody was heard in {self._quiet_s:g} s") from error
        if self._is_over:
            raise ServiceGone("the Bluetooth service ended while it scanned")
        address = next(iter(self._waiting))
        advertisement = self._waiting.pop(address)
        if not self._waiting:
            self._heard.clear()
        return advertisement

    def again(self, advertisement: Advertisement) -> None:
        """Give this one once more, unless its device is heard before: somebody made up their mind meanwhile."""
        self._waiting.setdefault(advertisement.address, advertisement)
        self._heard.set()

    @property
    def _is_over(self) -> bool:
        return self._loss is not None and self._loss.is_set()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()

    def _on_advertisement(self, found: BLEDevice, data: AdvertisementData) -> None:
        if not self._freshness.is_heard(data.platform_data):
            return
        self._waiting[found.address.upper()] = Advertisement(
            address=found.address.upper(),
            name=data.local_name or found.name,
            services=frozenset(UUID(text) for text in data.service_uuids),
            rssi=data.rssi,
            heard_at_s=asyncio.get_running_loop().time(),
            found=found,
        )
        self._heard.set()


async def _passed_on(event: asyncio.Event, other: asyncio.Event) -> None:
    await event.wait()
    other.set()


async def discover(
    address: str, *, backend: BleBackend | None = None, adapter: str = "hci0", timeout_s: float = 20.0
) -> Advertisement:
    """Scan until this address is heard. LinkTimeout if it stays silent."""
    try:
        async with asyncio.timeout(timeout_s), Scanner(backend=backend, adapter=adapter) as scanner:
            async for advertisement in scanner:
                if advertisement.address == address.upper():
                    return advertisement
    except TimeoutError as error:
        raise LinkTimeout(f"nothing heard from {address} in {timeout_s:g} s") from error
    raise AssertionError("a scanner never ends")


@asynccontextmanager
async def connect(
    peer: Advertisement | str,
    profile: Profile,
    *,
    backend: BleBackend | None = None,
    adapter: str = "hci0",
    tap: Tap | None = None,
    timeouts: Timeouts = Timeouts(),
    service: RadioService | None = None,
) -> AsyncIterator["ConnectedBleLink"]:
    """A connected, discovered and, where the profile says so, bonded link; hung up on leaving.

    ``peer`` as an address is scanned for first. Errors: LinkTimeout (silent, or too slow), BondLost (the device
    refuses our key), BondMade (paired, and to be left alone now), LinkLost (it hung up while we connected), ServiceGone
    (``service`` ended meanwhile, whatever it looked like), LinkError.
    """
    ble = profile.firmware.ble
    if ble is None:
        raise ValueError(f"profile {profile.id} is not a BLE profile")
    if isinstance(peer, str):
        peer = await discover(peer, backend=backend, adapter=adapter, timeout_s=timeouts.discover_s)
    pair = ble.pairing.method != "none"
    first = pair and not await adapter_of(backend, adapter).is_bonded(peer.address)
    limit_s = timeouts.connect_s + (timeouts.pair_s if first else 0)  # bleak's own limit covers the pairing, too
    gone = asyncio.Event()
    loss = service.loss() if service is not None else asyncio.Event()
    watch = asyncio.create_task(_passed_on(loss, gone))
    client = BleakClient(
        peer.found,
        lambda _: gone.set(),
        timeout=limit_s,
        pair=pair,
        bluez={"adapter": adapter},
        backend=backend.client if backend else None,
    )
    link = ConnectedBleLink(client, gone, GattAllowList(profile.firmware.commands, profile.id), tap, timeouts.request_s)
    try:
        with _mapped(gone):
            async with asyncio.timeout(limit_s):
                await client.connect()
        if first and ble.disconnect_after_bond:
            raise BondMade("paired; this model keeps the bond once it has been hung up on")
        await asyncio.sleep(ble.settle_ms / 1000)  # some cuffs stay silent when subscribed at once
        yield link
        if loss.is_set():  # a cuff's transfer ends when it hangs up: this one did not
            raise ServiceGone("the Bluetooth service ended during the visit")
    except LinkError as error:
        if loss.is_set():
            raise ServiceGone("the Bluetooth service ended during the visit") from error
        raise
    finally:
        watch.cancel()
        await link.hang_up()


class ConnectedBleLink:
    """The port ``BleLink`` over one connection."""

    def __init__(
        self, client: BleakClient, gone: asyncio.Event, guard: GattAllowList, tap: Tap | None, request_timeout_s: float
    ) -> None:
        self._client = client
        self._gone = gone
        self._guard = guard
        self._tap = tap
        self._request_timeout_s = request_timeout_s

    @property
    def address(self) -> str:
        """The peer's Bluetooth address."""
        return self._client.address.upper()

    def has_characteristic(self, uuid: UUID) -> bool:
        """Whether service discovery found it."""
        return self._find(uuid) is not None

    async def read(self, uuid: UUID) -> bytes:
        """Read a characteristic's value, from the device and not from a cache."""
        async with self._request():
            value = bytes(await self._client.read_gatt_char(self._resolve(uuid)))
        self._record("in", uuid, value)
        return value

    async def write(self, uuid: UUID, data: bytes) -> None:
        """Write with response what the profile allows; ForbiddenCommand, and nothing sent, otherwise."""
        self._guard.check(uuid, data)
        self._record("out", uuid, data)
        async with self._request():
            await self._client.write_gatt_char(self._resolve(uuid), data, response=True)

    async def subscribe(self, uuid: UUID, on_value: Callable[[bytes], None]) -> None:
        """Notifications or indications; ``on_value`` runs on the event loop, in order of arrival."""

        def receive(_: BleakGATTCharacteristic, value: bytearray) -> None:
            self._record("in", uuid, bytes(value))
            on_value(bytes(value))

        async with self._request():
            await self._client.start_notify(self._resolve(uuid), receive, bluez={"use_start_notify": True})

    async def wait_disconnected(self) -> None:
        """Returns when the peer has hung up."""
        await self._gone.wait()

    async def hang_up(self) -> None:
        """Disconnect; a link that cannot be closed in order is gone all the same."""
        try:
            async with asyncio.timeout(self._request_timeout_s):
                await self._client.disconnect()
        except (BleakError, OSError, EOFError, TimeoutError):
            pass  # nothing can be done about it, and the visit's own outcome must not be hidden by it
        self._gone.set()

    @asynccontextmanager
    async def _request(self) -> AsyncIterator[None]:
        try:
            with _mapped(self._gone):
                async with asyncio.timeout(self._request_timeout_s):
                    yield
        except ProtocolError as error:
            if error.att_code == BleakGATTProtocolErrorCode.UNLIKELY_ERROR and await self._has_hung_up():
                raise LinkLost("the device hung up while a request was in flight") from error
            raise

    async def _has_hung_up(self) -> bool:
        try:
            async with asyncio.timeout(_HANG_UP_LAG_S):
                await self._gone.wait()
        except TimeoutError:
            return not self._client.is_connected
        return True

    def _find(self, uuid: UUID) -> BleakGATTCharacteristic | None:
        # Not services.get_characteristic: it refuses a UUID that two services hold (Date Time does so in the field).
        characteristics = self._client.services.characteristics.values()
        return next((c for c in characteristics if c.uuid == str(uuid)), None)

    def _resolve(self, uuid: UUID) -> BleakGATTCharacteristic:
        found = self._find(uuid)
        if found is None:
            raise BleakCharacteristicNotFoundError(uuid)
        return found

    def _record(self, direction: str, uuid: UUID, octets: bytes) -> None:
        if self._tap is not None:
            self._tap(direction, str(uuid), octets)


@contextmanager
def _mapped(gone: asyncio.Event | None) -> Iterator[None]:
    """bleak's errors (and D-Bus's, when bluetoothd dies) in our tree. ``gone``: set once the peer has hung up."""
    try:
        yield
    except (BleakError, OSError, EOFError) as error:  # TimeoutError is an OSError
        ours = translated(error)
        if gone is not None and gone.is_set() and not isinstance(ours, BondLost):  # pairing that fails hangs up, too
            raise LinkLost("the device hung up") from error
        raise ours from error


def translated(error: Exception) -> DeviceError:
    """The one mapping of bleak's, D-Bus's and the system's errors."""
    match error:
        case TimeoutError():
            return LinkTimeout("the device did not answer in time")
        case BleakGATTProtocolError() if error.code in _NO_KEY:
            return BondLost(f"the device refuses our key ({error.args[1]})")
        case BleakGATTProtocolError():
            return ProtocolError(str(error.args[1]), att_code=int(error.code))
        case BleakCharacteristicNotFoundError():
            return ProtocolError(f"the device has no characteristic {error.char_specifier}")
        case BleakDeviceNotFoundError():
            return LinkTimeout(f"the device {error.identifier} is not known to the system")
        case BleakDBusError() if error.dbus_error.endswith(_BLUEZ_NO_KEY):
            return BondLost(f"pairing failed ({error.dbus_error})")
        case _:
            return LinkError(f"{type(error).__name__}: {error}")
