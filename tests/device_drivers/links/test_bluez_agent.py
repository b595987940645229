"""The pairing agent on a real D-Bus daemon; bluetoothd is imitated (the guest suite has the real one)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.links.bluez_agent import AGENT_PATH, address_of, bluez_agent
from tests.fix_dbus import OwnBus, PairingDaemon

METER, STRANGER = "/org/bluez/hci0/dev_F0_00_00_00_00_01", "/org/bluez/hci0/dev_F0_00_00_00_00_02"
REJECTED = "org.bluez.Error.Rejected"


class Note:
    """The passkeys as somebody wrote them down; ``asked`` is set while a question waits."""

    def __init__(self, passkey: int | None = 123456) -> None:
        self._passkey = passkey
        self.asked = asyncio.Event()
        self.written = asyncio.Event()
        self.written.set()

    def expects(self, address: str) -> bool:
        return address == "F0:00:00:00:00:01"

    async def passkey(self, address: str) -> int | None:
        self.asked.set()
        await self.written.wait()
        return self._passkey if self.expects(address) else None

    async def confirms(self, address: str, passkey: int) -> bool:
        return self.expects(address) and passkey == self._passkey


@asynccontextmanager
async def registered(bus: OwnBus, note: Note) -> AsyncIterator[PairingDaemon]:
    daemon = await PairingDaemon.start(bus.address)
    async with bluez_agent(note, bus_address=bus.address, retry_s=0.1) as up:
        await asyncio.wait_for(up.wait(), 10)
        yield daemon
    daemon.die()


async def test_it_is_the_default_agent_and_can_type_and_show_numbers(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note()) as daemon:
        assert daemon.manager.calls == [
            ("RegisterAgent", AGENT_PATH, "KeyboardDisplay"),
            ("RequestDefaultAgent", AGENT_PATH),
        ]


async def test_it_answers_with_the_passkey_of_a_device_of_this_home(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note(42)) as daemon:
        assert await daemon.ask("RequestPasskey", "o", METER) == ("", [42])
        assert await daemon.ask("RequestPinCode", "o", METER) == ("", ["000042"])


async def test_it_refuses_a_passkey_that_nobody_knows(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note(None)) as daemon:
        for question in ("RequestPasskey", "RequestPinCode"):
            error, _ = await daemon.ask(question, "o", METER)
            assert error == REJECTED


async def test_it_refuses_whatever_a_device_of_another_home_asks(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note()) as daemon:
        for question in ("RequestPasskey", "RequestPinCode", "RequestAuthorization"):
            assert (await daemon.ask(question, "o", STRANGER))[0] == REJECTED
        assert (await daemon.ask("RequestConfirmation", "ou", STRANGER, 123456))[0] == REJECTED
        assert (await daemon.ask("AuthorizeService", "os", STRANGER, "1808"))[0] == REJECTED


async def test_it_confirms_the_number_that_is_known_and_no_other(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note(123456)) as daemon:
        assert (await daemon.ask("RequestConfirmation", "ou", METER, 123456))[0] == ""
        assert (await daemon.ask("RequestConfirmation", "ou", METER, 123457))[0] == REJECTED


async def test_it_lets_a_device_of_this_home_pair_without_a_number_and_use_services(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note()) as daemon:
        for question, signature, values in (
            ("RequestAuthorization", "o", (METER,)),
            ("AuthorizeService", "os", (METER, "00001808-0000-1000-8000-00805f9b34fb")),
            ("DisplayPasskey", "ouq", (METER, 123456, 0)),
            ("DisplayPinCode", "os", (METER, "0000")),
            ("Release", "", ()),
        ):
            assert (await daemon.ask(question, signature, *values))[0] == ""


async def test_a_question_that_waits_for_a_person_is_cancelled_with_the_pairing(own_bus: OwnBus) -> None:
    note = Note()
    note.written.clear()
    async with registered(own_bus, note) as daemon:
        question = asyncio.create_task(daemon.ask("RequestPasskey", "o", METER))
        await asyncio.wait_for(note.asked.wait(), 10)
        await daemon.ask("Cancel")
        assert (await question)[0] == "org.bluez.Error.Canceled"
        note.written.set()
        assert await daemon.ask("RequestPasskey", "o", METER) == ("", [123456])


async def test_it_registers_again_with_a_bluetoothd_that_was_restarted(own_bus: OwnBus) -> None:
    async with registered(own_bus, Note()) as first:
        first.die()
        second = await PairingDaemon.start(own_bus.address)
        await asyncio.wait_for(second.manager.default.wait(), 10)
        assert await second.ask("RequestPasskey", "o", METER) == ("", [123456])
    second.die()


async def test_it_waits_for_a_bluetoothd_that_is_not_there_yet(own_bus: OwnBus) -> None:
    async with bluez_agent(Note(), bus_address=own_bus.address, retry_s=0.1) as up:
        assert not up.is_set()
        daemon = await PairingDaemon.start(own_bus.address)
        await asyncio.wait_for(up.wait(), 10)
    daemon.die()


async def test_it_tries_again_where_bluetoothd_refuses_it(own_bus: OwnBus, caplog: pytest.LogCaptureFixture) -> None:
    daemon = await PairingDaemon.start(own_bus.address)
    daemon.manager.refuses = True
    async with bluez_agent(Note(), bus_address=own_bus.address, retry_s=0.05) as up:
        while not daemon.manager.calls:  # noqa: ASYNC110 -- the imitation only keeps a list
            await asyncio.sleep(0.01)
        assert not up.is_set()
        daemon.manager.refuses = False
        await asyncio.wait_for(up.wait(), 10)
    daemon.die()
    assert "did not take the pairing agent" in caplog.text


async def test_it_survives_the_death_of_the_bus(own_bus: OwnBus) -> None:
    async with bluez_agent(Note(), bus_address=own_bus.address, retry_s=0.05) as up:
        daemon = await PairingDaemon.start(own_bus.address)
        await asyncio.wait_for(up.wait(), 10)
        await own_bus.kill()
        while up.is_set():  # noqa: ASYNC110 -- an event can be awaited in one direction only
            await asyncio.sleep(0.01)
        daemon.die()
        await own_bus.start()
        again = await PairingDaemon.start(own_bus.address)
        await asyncio.wait_for(up.wait(), 10)
        again.die()


async def test_it_is_unregistered_at_the_end(own_bus: OwnBus) -> None:
    daemon = await PairingDaemon.start(own_bus.address)
    async with bluez_agent(Note(), bus_address=own_bus.address) as up:
        await asyncio.wait_for(up.wait(), 10)
    assert daemon.manager.unregistered.is_set()
    daemon.die()


async def test_without_any_bus_nothing_fails(own_bus: OwnBus) -> None:
    await own_bus.kill()
    async with bluez_agent(Note(), bus_address=own_bus.address, retry_s=0.01) as up:
        await asyncio.sleep(0.05)
        assert not up.is_set()


@given(st.text())
def test_no_path_but_a_devices_gives_an_address(path: str) -> None:
    assert address_of(path) == ""
    assert address_of(METER) == "F0:00:00:00:00:01"
