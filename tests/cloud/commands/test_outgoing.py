"""Commands in their table: taken once, again where nothing is heard, answered by their own gateway, ended in time."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection

from cloud.commands import outgoing, store
from cloud.commands.models import FIRST_AGAIN, GRACE, LAST_AGAIN, Command, Told
from cloud.devices.store import revoke_gateway
from tests.cloud.made import GATEWAY, NOW, Ward, made_ward
from tests.fix_services import Copies

MINUTE = timedelta(minutes=1)


@dataclass
class Desk:
    """Whoever sends commands, with the console's rights, and the ingest's connection."""

    ward: Ward

    def send(
        self, kind: str = "note", *, lasts: timedelta = 10 * MINUTE, secret: Mapping[str, object] | None = None
    ) -> UUID:
        """One command to the ward's gateway."""

        async def send(conn: AsyncConnection[Any]) -> UUID:
            return await store.send(
                conn, GATEWAY, kind, {"word": "hello"}, at=NOW, expires_at=NOW + lasts, by=self.ward.nurse_id,
                secret=secret,
            )  # fmt: skip

        sent: UUID = self._as_console(send)
        return sent

    def command(self, command_id: UUID) -> Command:
        """What the console sees of it."""
        found: Command | None = self._as_console(lambda conn: store.command(conn, command_id))
        assert found is not None
        return found

    def call_off(self, kind: str) -> None:
        """Nobody needs them any more."""
        self._as_console(lambda conn: store.call_off(conn, GATEWAY, kind, "a newer one"))

    def taken(self, at: datetime = NOW) -> list[tuple[UUID, Mapping[str, Any]]]:
        """What is published at that time."""
        return [(command.command_id, command.body) for command in outgoing.take_due(self.ward.ingest, at)]

    def told(self, command_id: UUID, stage: Any, step: int = 1, gateway_id: str = GATEWAY, **more: Any) -> Command:
        """The command after a gateway spoke of it."""
        said = Told(command_id=command_id, gateway_id=gateway_id, stage=stage, step=step, at=NOW, **more)
        outgoing.record_told(self.ward.ingest, [said])
        return self.command(command_id)

    def _as_console(self, work: Any) -> Any:
        async def run() -> Any:
            async with await AsyncConnection.connect(self.ward.database.console_url) as conn:
                return await work(conn)

        return asyncio.run(run())


@pytest.fixture(scope="module")
def shared_ward(copies: Copies) -> Iterator[Ward]:
    """One database for all: what is in it is of one test."""
    with copies.fresh() as database:
        made = made_ward(database)
        try:
            yield made
        finally:
            made.ingest.close()
            made.admin.close()


@pytest.fixture
def desk(shared_ward: Ward) -> Iterator[Desk]:
    """A ward whose gateway is there."""
    shared_ward.admin.execute("UPDATE gateway SET state = 'online', revoked_at = NULL")
    yield Desk(shared_ward)
    shared_ward.admin.execute("DELETE FROM gateway_command")


def test_a_command_is_due_at_once_and_after_a_pause_again_until_its_gateway_tells_of_it(desk: Desk) -> None:
    one = desk.send()
    assert desk.taken() == [(one, {"word": "hello"})]
    assert desk.command(one).stage == "published"

    assert desk.taken(NOW + FIRST_AGAIN - timedelta(seconds=1)) == []
    assert [command_id for command_id, _ in desk.taken(NOW + FIRST_AGAIN)] == [one]

    desk.told(one, "underway", detail={"state": "searching"})
    assert desk.taken(NOW + 5 * MINUTE) == []
    assert desk.told(one, "done", 2).stage == "done"


def test_for_a_gateway_that_is_away_the_broker_keeps_what_was_published_once(desk: Desk) -> None:
    desk.ward.admin.execute("UPDATE gateway SET state = 'offline'")
    one = desk.send()
    assert len(desk.taken()) == 1
    assert desk.taken(NOW + 5 * MINUTE) == []

    desk.ward.admin.execute("UPDATE gateway SET state = 'online'")
    assert [command_id for command_id, _ in desk.taken(NOW + 5 * MINUTE)] == [one]


def test_pauses_double_up_to_five_minutes(desk: Desk) -> None:
    desk.send(lasts=timedelta(hours=1))
    at, pauses = NOW, []
    for _ in range(8):
        assert len(desk.taken(at)) == 1
        [(again_at,)] = desk.ward.rows("SELECT publish_at FROM gateway_command")
        pauses.append(again_at - at)
        at = again_at
    assert pauses == [*(FIRST_AGAIN * 2**n for n in range(5)), LAST_AGAIN, LAST_AGAIN, LAST_AGAIN]


def test_two_that_look_at_the_same_time_publish_it_once(desk: Desk) -> None:
    one = desk.send()
    with desk.ward.ingest.transaction():
        assert len(desk.taken()) == 1
        with psycopg.connect(desk.ward.database.ingest_url) as another:
            assert outgoing.take_due(another, NOW) == []
    assert desk.command(one).stage == "published"


def test_a_command_whose_time_is_over_is_said_to_be_expired_and_not_published(desk: Desk) -> None:
    waits, begun = desk.send(), desk.send()
    desk.told(begun, "underway")
    over = NOW + 10 * MINUTE
    assert desk.taken(over) == []

    assert outgoing.expire(desk.ward.ingest, over) == 1
    assert (desk.command(waits).stage, desk.command(begun).stage) == ("expired", "underway")
    assert outgoing.expire(desk.ward.ingest, over + GRACE) == 1
    assert desk.command(begun).stage == "expired"


def test_what_was_done_and_told_late_counts(desk: Desk) -> None:
    one = desk.send()
    outgoing.expire(desk.ward.ingest, NOW + 10 * MINUTE)
    assert desk.told(one, "done").stage == "done"


def test_a_gateway_speaks_of_its_own_commands_alone(desk: Desk) -> None:
    desk.ward.admin.execute("INSERT INTO gateway (gateway_id) VALUES ('gw-other')")
    one = desk.send()
    assert desk.told(one, "done", gateway_id="gw-other").stage == "waiting"
    assert desk.told(one, "done").stage == "done"


def test_an_older_status_that_comes_later_changes_nothing(desk: Desk) -> None:
    one = desk.send()
    desk.told(one, "underway", 3, detail={"state": "pairing"})
    assert desk.told(one, "underway", 2, detail={"state": "searching"}).detail == {"state": "pairing"}
    assert desk.told(one, "failed", 4, reason="no").stage == "failed"
    assert desk.told(one, "done", 5).stage == "failed"


def test_steps_of_one_status_are_told_in_their_order(desk: Desk) -> None:
    one = desk.send()
    first = Told(command_id=one, gateway_id=GATEWAY, stage="underway", step=0, at=NOW)
    outgoing.record_told(desk.ward.ingest, [replace(first, stage="done", step=1), first])
    assert desk.command(one).stage == "done"


def test_nothing_is_published_for_a_gateway_that_was_revoked(desk: Desk) -> None:
    desk.send()
    revoke_gateway(desk.ward.admin, GATEWAY, NOW)
    assert desk.taken() == []


def test_a_command_that_was_called_off_is_published_no_more(desk: Desk) -> None:
    one, other = desk.send("home"), desk.send("note")
    desk.call_off("home")
    assert [command_id for command_id, _ in desk.taken()] == [other]
    assert (desk.command(one).stage, desk.command(one).reason) == ("expired", "a newer one")


@pytest.mark.parametrize("end", ["done", "failed", "refused", "expired"])
def test_a_secret_goes_out_with_its_command_and_is_forgotten_when_that_has_ended(desk: Desk, end: str) -> None:
    one = desk.send(secret={"passkey": "987123"})
    assert desk.taken() == [(one, {"word": "hello", "passkey": "987123"})]

    if end == "expired":
        outgoing.expire(desk.ward.ingest, NOW + 10 * MINUTE)
    else:
        desk.told(one, end)
    assert desk.ward.rows("SELECT count(*) FROM gateway_command_secret") == [(0,)]
    assert desk.ward.rows("SELECT count(*) FROM gateway_command WHERE gateway_command::text LIKE '%987123%'") == [(0,)]


def test_nobody_but_the_ingest_reads_a_secret_and_none_is_in_the_write_ahead_log(desk: Desk) -> None:
    desk.send(secret={"passkey": "987123"})
    for url in (desk.ward.database.console_url, desk.ward.database.jobs_url, desk.ward.database.enrolment_url):
        with psycopg.connect(url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT * FROM gateway_command_secret")
    assert desk.ward.rows("SELECT relpersistence FROM pg_class WHERE relname = 'gateway_command_secret'") == [("u",)]
