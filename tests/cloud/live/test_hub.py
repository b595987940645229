"""Fan-out: to everybody who listens, and to nobody longer than we listen ourselves."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from cloud.live import hub as live
from cloud.live.hub import Hub, NotListening
from cloud.live.models import CaseChanged, Ended
from tests.fix_services import Database


@pytest.fixture
async def hub(database: Database) -> AsyncIterator[Hub]:
    """A hub that listens."""
    made = Hub(database.console_url)
    task = asyncio.create_task(made.run())
    await asyncio.wait_for(made.listening(), 10)
    yield made
    made.close()
    task.cancel()
    await asyncio.wait([task])


async def test_everybody_hears_everything(hub: Hub, database: Database) -> None:
    notice = CaseChanged(case_id=uuid4(), patient_id=uuid4(), event_id=7)
    async with hub.subscription() as one, hub.subscription() as other:
        _tell(database, notice)
        assert [await one.get(), await other.get()] == [notice, notice]


async def test_whoever_falls_behind_is_sent_away_and_the_others_are_not(
    hub: Hub, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST_QUEUE", 2)
    notice = CaseChanged(case_id=uuid4(), patient_id=uuid4(), event_id=7)
    async with hub.subscription() as idle, hub.subscription() as busy:
        for _ in range(4):
            _tell(database, notice)
            assert await busy.get() == notice
        assert [idle.get_nowait() for _ in range(idle.qsize())][-1] == Ended("behind")


async def test_while_nobody_listens_there_is_no_subscription(database: Database) -> None:
    with pytest.raises(NotListening):
        async with Hub(database.console_url).subscription():
            pass


async def test_closing_ends_every_subscription(hub: Hub) -> None:
    async with hub.subscription() as queue:
        hub.close()
        assert await queue.get() == Ended("closing")
    assert not hub.is_listening


async def test_a_lost_connection_ends_every_subscription_and_is_made_anew(hub: Hub, database: Database) -> None:
    async with hub.subscription() as queue:
        with psycopg.connect(database.admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'pulsepost-live'"
            )
        assert await asyncio.wait_for(queue.get(), 10) == Ended("lost")
    await asyncio.wait_for(hub.listening(), 10)


def _tell(database: Database, notice: CaseChanged) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_notify('live', json_build_object('type', 'case', 'case_id', %s::uuid, 'patient_id', %s::uuid,"
            " 'event_id', %s::int)::text)",
            (notice.case_id, notice.patient_id, notice.event_id),
        )


class RefusedOnce(Hub):
    """A hub whose server is still in recovery when it is asked first."""

    refused = False

    async def _listen(self) -> None:
        if not self.refused:
            self.refused = True
            raise psycopg.errors.ReadOnlySqlTransaction("cannot execute LISTEN during recovery")
        await super()._listen()


async def test_a_server_in_recovery_is_asked_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECONNECT_AFTER_S", 0.01)
    made = RefusedOnce(database.console_url)
    task = asyncio.create_task(made.run())
    await asyncio.wait_for(made.listening(), 10)
    made.close()
    task.cancel()
    await asyncio.wait([task])
