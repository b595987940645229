"""A gateway's Bluetooth adapter on the virtual radio, for composing a gateway without a radio (demo and tests)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace

from bumble.device import Device
from bumble.host import Host
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.transport import open_transport

from device_drivers.links.ble import BleBackend
from device_drivers.links.ports import PasskeyProvider
from device_drivers.simulators.bumble_backend import make_backend
from device_drivers.simulators.virtual_radio import VirtualRadio, key_store_at, make_host

# What the person at the gateway types when a device shows a passkey; None when nobody is there.
Typed = Callable[[], int | None]

ADDRESS = "C0:50:57:50:00:01"


class KeyboardDelegate(PairingDelegate):
    """A keyboard and a display, as BlueZ's agent has them. Only the encryption key is exchanged: no address resolving
    over a link whose addresses are static."""

    def __init__(self, keyboard: "_Keyboard", address: str) -> None:
        only_key = PairingDelegate.KeyDistribution.DISTRIBUTE_ENCRYPTION_KEY
        super().__init__(PairingDelegate.IoCapability.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT, only_key, only_key)
        self._keyboard = keyboard
        self._address = address

    async def get_number(self) -> int | None:
        """Asked by SMP when the device displays a passkey."""
        return await self._keyboard.passkey(self._address)


class _Keyboard:
    """Whoever is at the gateway, and otherwise whoever the gateway asks."""

    def __init__(self, typed: Typed) -> None:
        self._typed = typed
        self._provider: PasskeyProvider | None = None

    async def passkey(self, address: str) -> int | None:
        if (here := self._typed()) is not None:
            return here
        provider = self._provider
        return await provider.passkey(address) if provider is not None and provider.expects(address) else None

    def ask(self, provider: PasskeyProvider) -> AbstractAsyncContextManager[object]:
        """As a registered agent."""
        self._provider = provider
        return nullcontext()


def _nobody() -> int | None:
    return None


@asynccontextmanager
async def open_central(
    where: VirtualRadio | str,
    *,
    address: str = ADDRESS,
    key_store: str | None = None,
    passkey: Typed = _nobody,
) -> AsyncIterator[BleBackend]:
    """An adapter on the radio, as the bleak backend that ``links.ble`` takes.

    ``where``: the radio itself (same process), or the transport that ``VirtualRadio.listen`` gave
    (``tcp-client:127.0.0.1:PORT``, ``unix:PATH``). ``key_store``: a JSON file in which bonds outlive the process.
    """
    keys = key_store_at(key_store, address)
    if isinstance(where, VirtualRadio):
        yield _with_keyboard(await where.join("gateway", address, keys), passkey)
        return
    transport = await open_transport(where)
    try:
        device = make_host("gateway", address, Host(transport.source, transport.sink), keys)
        await device.power_on()
        yield _with_keyboard(device, passkey)
    finally:
        await transport.close()


def _with_keyboard(device: Device, passkey: Typed) -> BleBackend:
    keyboard = _Keyboard(passkey)
    device.pairing_config_factory = lambda connection: PairingConfig(
        delegate=KeyboardDelegate(keyboard, connection.peer_address.to_string(with_type_qualifier=False).upper())
    )
    return replace(make_backend(device), keyboard=keyboard.ask)
