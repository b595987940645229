"""The database is away: the reader is told so in their language, and that trying again helps."""

from collections.abc import AsyncIterator

import httpx
import pytest
from psycopg_pool import AsyncConnectionPool

from cloud.app import create_app
from cloud.auth import cookies
from cloud.config import ConsoleSettings

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
