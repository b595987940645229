"""The nurse, at the console: takes every open case and closes it, so that what comes next is a new episode."""

import asyncio

import httpx

from cloud.db.connect import open_connection
from deploy.chaos import cast
from deploy.chaos.records import APPLICATION
from deploy.chaos.stage import Stage
from deploy.demo import watch

ATTEMPTS = 50
PAUSE_S = 0.2


async def work_off(stage: Stage) -> int:
    """How many she closed. httpx.HTTPError where the console does not come back."""
    cases = await asyncio.to_thread(_open_cases, stage.admin_url)
    for attempt in range(ATTEMPTS):
        try:
            async with watch.signed_in(stage.console, cast.NURSE.login, stage.household.nurse_password) as nurse:
                for case_id in await asyncio.to_thread(_open_cases, stage.admin_url):
                    await watch.acknowledge(nurse, case_id)
                    await watch.resolve(nurse, case_id)
            break
        except httpx.HTTPError:
            if attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(PAUSE_S)
    return len(cases)


def _open_cases(admin_url: str) -> list[str]:
    with open_connection(admin_url, APPLICATION) as connection:
        rows = connection.execute("SELECT case_id FROM alert_case WHERE state NOT IN ('resolved', 'expired')")
        return [str(case_id) for (case_id,) in rows]
