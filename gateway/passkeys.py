"""Passkeys for pairing without a screen: from the configuration, typed at the console while a device is paired from
afar, or left in a file while the device shows them.

``python -m gateway pair CONFIG NAME`` writes the file; the running gateway takes it when the device asks, and removes
it. A passkey opens nothing but this one pairing, and it is kept out of the log all the same.
"""

import asyncio
from pathlib import Path
from typing import Protocol

from gateway.roster import Roster, RosteredDevice

# bluetoothd gives an agent 60 s to answer.
WAIT_S = 55.0
POLL_S = 0.25


def passkey_file(data_dir: Path, name: str) -> Path:
    """Where the passkey of one device waits; six digits."""
    return data_dir / "passkeys" / name


def leave_passkey(data_dir: Path, name: str, passkey: str) -> None:
    """Leave six digits for the running gateway. OSError."""
    path = passkey_file(data_dir, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text(passkey)
    fresh.replace(path)


class Typist(Protocol):
    """Somebody far away who types what a device shows."""

    def at_hand(self, address: str) -> RosteredDevice | None:
        """The device that is being paired, where this is its address."""
        ...

    async def passkey(self, address: str) -> int | None:
        """The six digits that it shows; None where nobody types them."""
        ...


class HomePasskeys:
    """The ``PasskeyProvider`` of a home: it knows its devices, the one that is being paired, and nobody else."""

    def __init__(self, roster: Roster, data_dir: Path, wait_s: float = WAIT_S, typist: Typist | None = None) -> None:
        self._roster = roster
        self._data_dir = data_dir
        self._wait_s = wait_s
        self._typist = typist

    def expects(self, address: str) -> bool:
        """Whether it is of this home, or about to be."""
        return self._device(address) is not None

    async def passkey(self, address: str) -> int | None:
        """The configuration's, or what somebody types, or leaves in the file within ``wait_s``."""
        device = self._device(address)
        if device is None:
            return None
        if device.entry.passkey:
            return int(device.entry.passkey)
        if self._typist is not None and self._typist.at_hand(address):
            return await self._typist.passkey(address)
        return await self._left(device.name)

    async def confirms(self, address: str, passkey: int) -> bool:
        """The number must be the one we were told, unless the profile says that nobody has to compare numbers."""
        device = self._device(address)
        if device is None:
            return False
        methods = {table.ble.pairing.method for table in device.file.firmware if table.ble is not None}
        return methods == {"just_works"} or await self.passkey(address) == passkey

    def _device(self, address: str) -> RosteredDevice | None:
        at_hand = self._typist.at_hand(address) if self._typist is not None else None
        return at_hand or self._roster.by_address(address)

    async def _left(self, name: str) -> int | None:
        try:
            async with asyncio.timeout(self._wait_s):
                while (passkey := _take(passkey_file(self._data_dir, name))) is None:  # noqa: ASYNC110 -- a person types
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            return None
        return passkey


def _take(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
        path.unlink()
    except OSError:
        return None
    return int(text) if len(text) == 6 and text.isascii() and text.isdecimal() else None
