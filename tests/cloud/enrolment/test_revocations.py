"""Keeping the broker's list: in force, in time, and through failures of its surroundings."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from psycopg import AsyncConnection

from cloud import clock
from cloud.config import BrokerAddress
from cloud.enrolment import broker, store
from cloud.enrolment.revocations import BrokerFiles, Revocations
from cloud.pki import revocation_list
from cloud.pki.authority import Authority
from tests.fix_enrolment import MovableClock, as_signed, identity_signed_by


async def given_out(conn: AsyncConnection, signer: Authority, gateway_id: str) -> int:
    made = as_signed(identity_signed_by(signer, gateway_id))
    await store.enrol_gateway(conn, gateway_id, clock.now())
    await store.add_certificate(conn, made, clock.now(), "enrolment")
    return made.serial_number


def keeper(signer: Authority, folder: Path, now: MovableClock) -> tuple[Revocations, Path, Path]:
    """With a command that counts how often the broker was told to read."""
    listed, told = folder / "crl.pem", folder / "told"
    command = f"sh -c 'echo read >> {told}'"
    return Revocations(signer, BrokerFiles(revocation_list=listed, reload=command, address=None), now), listed, told


async def test_the_list_follows_the_database_and_the_broker_is_told_twice(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    serial = await given_out(enrolment_role, clone_authority, "home-1")
    revocations, listed, told = keeper(clone_authority, tmp_path, MovableClock())
    await revocations.publish(enrolment_role)
    assert revocation_list.entries(listed.read_text()) == {}
    await store.revoke_others(enrolment_role, "home-1", None, clock.now(), "stolen")
    assert [added.serial_number for added in await revocations.publish(enrolment_role)] == [serial]
    assert revocation_list.entries(listed.read_text()).keys() == {serial}
    for _ in range(3):
        assert await revocations.publish(enrolment_role) == []
    assert told.read_text().count("read") == 3  # the empty list, the new one, and once more to be sure


async def test_a_list_is_made_anew_each_day_and_long_before_its_end(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    now = MovableClock()
    revocations, listed, _ = keeper(clone_authority, tmp_path, now)
    await revocations.publish(enrolment_role)
    first = listed.read_text()
    now.ahead = timedelta(hours=20)
    await revocations.publish(enrolment_role)
    assert listed.read_text() == first
    now.ahead = timedelta(days=1)
    await revocations.publish(enrolment_role)
    assert listed.read_text() != first


async def test_a_list_of_somebody_else_or_a_damaged_one_is_replaced(
    enrolment_role: AsyncConnection, clone_authority: Authority, other_authority: Authority, tmp_path: Path
) -> None:
    revocations, listed, _ = keeper(clone_authority, tmp_path, MovableClock())
    for text in (other_authority.list_revoked({1: clock.now()}, clock.now()), "nonsense", ""):
        listed.write_text(text)
        await revocations.publish(enrolment_role)
        assert revocation_list.is_signed_by(listed.read_text(), clone_authority.certificate)


async def test_a_command_that_fails_is_tried_again(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    command = f"sh -c 'echo read >> {told}; test -e {tmp_path / 'mended'}'"
    files = BrokerFiles(revocation_list=tmp_path / "crl.pem", reload=command, address=None)
    revocations = Revocations(clone_authority, files, MovableClock())
    for _ in range(3):
        await revocations.publish(enrolment_role)
    (tmp_path / "mended").touch()
    for _ in range(3):
        await revocations.publish(enrolment_role)
    assert told.read_text().count("read") == 4


async def test_a_certificate_that_was_renewed_is_listed_when_its_week_is_over(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    now = MovableClock()
    serial = await given_out(enrolment_role, clone_authority, "home-1")
    await store.revoke_others(enrolment_role, "home-1", None, clock.now() + timedelta(days=7), "renewed")
    revocations, listed, _ = keeper(clone_authority, tmp_path, now)
    await revocations.publish(enrolment_role)
    assert revocation_list.entries(listed.read_text()) == {}
    now.ahead = timedelta(days=7, minutes=1)
    await revocations.publish(enrolment_role)
    assert revocation_list.entries(listed.read_text()).keys() == {serial}


async def test_a_broker_that_is_away_or_does_not_let_us_in_is_said() -> None:
    away = BrokerAddress(host="127.0.0.1", port=9, username="enrolment", password="x")
    assert not await broker.hang_up(away, "home-1")
    assert not await broker.reload("/nowhere/at/all")
    assert not await broker.reload("sh -c 'exit 3'")
    assert await broker.reload("true")


async def test_a_clock_that_was_wrong_for_a_while_leaves_a_list_that_is_good_now(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    now = MovableClock()
    stolen, renewed = [await given_out(enrolment_role, clone_authority, name) for name in ("home-1", "home-2")]
    await store.revoke_others(enrolment_role, "home-1", None, clock.now(), "stolen")
    await store.revoke_others(enrolment_role, "home-2", None, clock.now() + timedelta(days=7), store.RENEWED)
    revocations, listed, _ = keeper(clone_authority, tmp_path, now)
    for ahead in (timedelta(days=8), timedelta(days=0), timedelta(days=5000), timedelta(hours=-2), timedelta(hours=3)):
        now.ahead = ahead
        await revocations.publish(enrolment_role)
        made = x509.load_pem_x509_crl(listed.read_bytes())
        assert made.last_update_utc <= now()
        assert made.next_update_utc is not None
        assert made.next_update_utc > now() + timedelta(days=29)
        if ahead < timedelta(days=5000):  # then, both have ended
            assert stolen in revocation_list.entries(listed.read_text())
        if ahead == timedelta(0):  # who was listed stays
            assert renewed in revocation_list.entries(listed.read_text())


async def test_what_an_operator_with_a_clock_ahead_revoked_is_listed_at_once(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    serial = await given_out(enrolment_role, clone_authority, "home-1")
    await store.revoke_others(enrolment_role, "home-1", None, clock.now() + timedelta(minutes=10), "stolen")
    revocations, listed, _ = keeper(clone_authority, tmp_path, MovableClock())
    await revocations.publish(enrolment_role)
    assert revocation_list.entries(listed.read_text()).keys() == {serial}


async def test_the_broker_can_read_the_list_whatever_our_umask(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    revocations, listed, _ = keeper(clone_authority, tmp_path, MovableClock())
    before = os.umask(0o077)
    try:
        await revocations.publish(enrolment_role)
    finally:
        os.umask(before)
    assert listed.stat().st_mode & 0o777 == 0o644


async def test_a_list_that_cannot_be_replaced_leaves_nothing_behind(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    revocations, listed, _ = keeper(clone_authority, tmp_path / "tls", MovableClock())
    listed.mkdir(parents=True)  # in its place stands what no file can replace
    for _ in range(3):
        with pytest.raises(IsADirectoryError):
            await revocations.publish(enrolment_role)
    assert list(listed.parent.iterdir()) == [listed]


async def test_a_command_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "RELOAD_WITHIN_S", 0.5)
    assert not await broker.reload(f"sh -c 'echo $$ > {tmp_path / 'pid'}; exec sleep 600'")
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


class Counter:
    """A broker that lets us in and counts who is hung up on; ``refuses`` closes the connection without a word."""

    def __init__(self) -> None:
        self.refuses = False
        self.met: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        packet = await reader.read(1000)
        length = int.from_bytes(packet[12:14], "big")
        self.met.append(packet[14 : 14 + length].decode())
        if not self.refuses:
            writer.write(broker.CONNECTED)
            await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def counter() -> AsyncIterator[tuple[Counter, BrokerAddress]]:
    counting = Counter()
    server = await asyncio.start_server(counting, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield counting, BrokerAddress(host=host, port=port, username="enrolment", password="x")


def ender(signer: Authority, folder: Path, address: BrokerAddress) -> Revocations:
    files = BrokerFiles(revocation_list=folder / "crl.pem", reload="true", address=address)
    return Revocations(signer, files, clock.now)


async def test_a_gateway_that_comes_in_while_the_broker_reads_is_hung_up_on_again(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path, counter: tuple[Counter, BrokerAddress]
) -> None:
    met, address = counter[0].met, counter[1]
    await given_out(enrolment_role, clone_authority, "home-1")
    revocations = ender(clone_authority, tmp_path, address)
    await store.revoke_others(enrolment_role, "home-1", None, clock.now(), "stolen")
    for _ in range(4):
        await revocations.publish(enrolment_role)
    assert met == ["home-1", "home-1"]


async def test_a_broker_that_cannot_be_told_to_hang_up_is_told_later(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path, counter: tuple[Counter, BrokerAddress]
) -> None:
    at_the_door, address = counter
    for name in ("home-1", "home-2", "home-3"):
        await given_out(enrolment_role, clone_authority, name)
        await store.revoke_others(enrolment_role, name, None, clock.now(), "stolen")
    revocations = ender(clone_authority, tmp_path, address)
    at_the_door.refuses = True
    for _ in range(3):
        await revocations.publish(enrolment_role)
    assert at_the_door.met == ["home-1"] * 3  # a broker that is away is not asked for each of thousands
    at_the_door.refuses = False
    at_the_door.met.clear()
    await revocations.publish(enrolment_role)
    assert at_the_door.met == ["home-1", "home-2", "home-3"]


async def test_a_list_that_changes_at_each_look_disturbs_nobody_and_is_in_force(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path, counter: tuple[Counter, BrokerAddress]
) -> None:
    """Gateways that were enrolled on one day end the weeks of their old certificates on one day, too."""
    now = MovableClock()
    files = BrokerFiles(revocation_list=tmp_path / "crl.pem", reload="true", address=counter[1])
    revocations = Revocations(clone_authority, files, now)
    await given_out(enrolment_role, clone_authority, "home-0")
    await store.revoke_others(enrolment_role, "home-0", None, clock.now(), "stolen")
    for number in range(1, 5):
        now.ahead += timedelta(minutes=4)
        await given_out(enrolment_role, clone_authority, f"home-{number}")
        await store.revoke_others(enrolment_role, f"home-{number}", None, now(), store.RENEWED)
        assert len(await revocations.publish(enrolment_role)) >= 1
        assert revocations.is_in_force()
    assert counter[0].met == ["home-0", "home-0"]


async def test_what_is_not_in_force_for_minutes_is_known(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path
) -> None:
    now, mended = MovableClock(), tmp_path / "mended"
    files = BrokerFiles(revocation_list=tmp_path / "crl.pem", reload=f"test -e {mended}", address=None)
    revocations = Revocations(clone_authority, files, now)
    for _ in range(2):
        await revocations.publish(enrolment_role)
    assert revocations.is_in_force()
    now.ahead = timedelta(minutes=6)
    await revocations.publish(enrolment_role)
    assert not revocations.is_in_force()
    mended.touch()
    await revocations.publish(enrolment_role)
    assert revocations.is_in_force()


async def test_who_was_revoked_before_the_service_was_started_is_hung_up_on_and_who_was_renewed_is_not(
    enrolment_role: AsyncConnection, clone_authority: Authority, tmp_path: Path, counter: tuple[Counter, BrokerAddress]
) -> None:
    for name, why in (("home-1", "stolen"), ("home-2", store.RENEWED)):
        await given_out(enrolment_role, clone_authority, name)
        await store.revoke_others(enrolment_role, name, None, clock.now() - timedelta(minutes=1), why)
    nowhere = BrokerFiles(revocation_list=tmp_path / "crl.pem", reload=None, address=None)
    await Revocations(clone_authority, nowhere, clock.now).publish(enrolment_role)  # and is killed here
    await ender(clone_authority, tmp_path, counter[1]).publish(enrolment_role)
    assert counter[0].met == ["home-1"]
