"""Keeping the broker's list: in force, in time, and through failures of its surroundings."""

from datetime import timedelta
from pathlib import Path

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
