"""Fan-out: to everybody who listens, and to nobody longer than we listen ourselves."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest

from cloud.live import hub as live
from cloud.live.hub import Hub, NotListening
from cloud.live.models import CaseChanged, Ended, TechnicalChanged
from tests.cloud.made import Ward
from tests.fix_services import Database


@pytest.fixture
async def hub(ward: Ward) -> AsyncIterator[Hub]:
    """A hub that listens; the ward's nurse cares for its patient."""
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (ward.patient_id, ward.nurse_id)
    )
    made = Hub(ward.database.console_url)
    task = asyncio.create_task(made.run())
    await asyncio.wait_for(made.listening(), 10)
    yield made
    made.close()
    task.cancel()
    await asyncio.wait([task])


async def test_a_patient_is_the_business_of_their_care_team_and_their_own(hub: Hub, ward: Ward) -> None:
    notice = CaseChanged(case_id=uuid4(), patient_id=ward.patient_id, event_id=7)
    [(patient,), (stranger,)] = ward.rows(
        "INSERT INTO account (login, display_name, role, password_hash, patient_id)"
        " SELECT 'asta', 'Asta', 'patient', 'x', patient_id FROM patient"
        " UNION ALL SELECT 'eve', 'Eve', 'nurse', 'x', NULL RETURNING account_id"
    )
    async with (
        hub.subscription(ward.nurse_id) as nurse,
        hub.subscription(ward.nurse_id) as second_screen,
        hub.subscription(patient) as own,
        hub.subscription(stranger) as other,
    ):
        _tell(ward.database, notice)
        assert [await nurse.get(), await second_screen.get(), await own.get()] == [notice, notice, notice]
        assert other.empty()


async def test_who_has_left_the_care_team_hears_nothing_from_then_on(hub: Hub, ward: Ward) -> None:
    before, after = (CaseChanged(case_id=uuid4(), patient_id=ward.patient_id, event_id=n) for n in (7, 8))
    async with hub.subscription(ward.nurse_id) as queue:
        _tell(ward.database, before)
        assert await queue.get() == before
        ward.admin.execute("UPDATE care_team SET until = now()")
        _tell(ward.database, after)
        # What concerns nobody's patient is everybody's: it comes after the other would have.
        _announce(ward.database, '{"type": "technical"}')
        assert await queue.get() == TechnicalChanged()


async def test_what_comes_together_is_told_in_its_order(hub: Hub, ward: Ward) -> None:
    async with hub.subscription(ward.nurse_id) as queue:
        with psycopg.connect(ward.database.admin_url) as admin:
            for n in range(200):
                notice = {"type": "case", "case_id": str(uuid4()), "patient_id": str(ward.patient_id), "event_id": n}
                admin.execute("SELECT pg_notify('live', %s)", (json.dumps(notice),))
        told = [await asyncio.wait_for(queue.get(), 10) for _ in range(200)]
    assert [notice.event_id for notice in told if isinstance(notice, CaseChanged)] == list(range(200))


async def test_a_notice_that_is_none_of_ours_is_passed_over(hub: Hub, ward: Ward) -> None:
    async with hub.subscription(ward.nurse_id) as queue:
        _announce(ward.database, "what?")
        _announce(ward.database, '{"type": "technical"}')
        assert await queue.get() == TechnicalChanged()


async def test_whoever_falls_behind_is_sent_away_and_the_others_are_not(
    hub: Hub, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LONGEST_QUEUE", 2)
    notice = CaseChanged(case_id=uuid4(), patient_id=ward.patient_id, event_id=7)
    async with hub.subscription(ward.nurse_id) as idle, hub.subscription(ward.nurse_id) as busy:
        for _ in range(4):
            _tell(ward.database, notice)
            assert await busy.get() == notice
        assert [idle.get_nowait() for _ in range(idle.qsize())][-1] == Ended("behind")


async def test_while_nobody_listens_there_is_no_subscription(database: Database) -> None:
    with pytest.raises(NotListening):
        async with Hub(database.console_url).subscription(uuid4()):
            pass


async def test_closing_ends_every_subscription(hub: Hub) -> None:
    async with hub.subscription(uuid4()) as queue:
        hub.close()
        assert await queue.get() == Ended("closing")
    assert not hub.is_listening


async def test_a_lost_connection_ends_every_subscription_and_is_made_anew(hub: Hub, ward: Ward) -> None:
    async with hub.subscription(uuid4()) as queue:
        with psycopg.connect(ward.database.admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'pulsepost-live'"
            )
        assert await asyncio.wait_for(queue.get(), 10) == Ended("lost")
    await asyncio.wait_for(hub.listening(), 10)


def _announce(database: Database, payload: str) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_notify('live', %s)", (payload,))


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
