"""The database is away: the reader is told so in their language, and that trying again helps."""

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from cloud.app import create_app
from cloud.auth import cookies
from cloud.config import ConsoleSettings
from tests.fix_console import Console

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@pytest.fixture
async def alone() -> AsyncIterator[httpx.AsyncClient]:
    """Somebody at a console without a database, which does not wait long for one."""
    app = create_app(ConsoleSettings(database_url=NOWHERE))
    async with AsyncConnectionPool(NOWHERE, min_size=1, open=False, timeout=0.1) as pool:
        app.state.pool = pool
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            yield client


async def test_a_page_says_that_the_database_does_not_answer(alone: httpx.AsyncClient) -> None:
    alone.cookies.set(cookies.SESSION, "x" * 43)
    answer = await alone.get("/worklist", headers={"accept-language": "ru"})
    assert answer.status_code == 503
    assert "База данных не отвечает." in answer.text


def test_a_database_that_goes_in_the_middle_of_a_page_is_said_and_logged_without_values(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    nora = console.sign_in("nora")
    with psycopg.connect(console.ward.database.admin_url) as admin, ThreadPoolExecutor(1) as asking:
        admin.execute("LOCK TABLE patient")
        asked = asking.submit(nora.get, f"/patients/{console.ward.patient_id}")
        while not asked.done() and not console.ward.rows(_END_WHO_WAITS):
            pass
        answer = asked.result()
    assert answer.status_code == 503
    assert "The database does not answer." in answer.text
    [said] = [record.getMessage() for record in caplog.records if record.name == "cloud.app"]
    assert said.startswith("a request was not answered: AdminShutdown 57P01 at cloud/")
    assert str(console.ward.patient_id) not in said


_END_WHO_WAITS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'pulsepost-console' AND wait_event_type = 'Lock'
"""
