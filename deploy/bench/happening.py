"""What happens in a clinic while its pages are read: cases change and readings come in, as the cloud announces them.

Each change is committed with its notice, as the ingest commits it; nothing is judged, and no reading is stored. The
rates are about ten times those of a busy hour of 10,000 patients: 630 cases a day with five changes each, 15,000
readings a day, a quarter of both in that hour.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from psycopg import AsyncConnection

from deploy.bench import clock

Connection = AsyncConnection[Any]

CHANGES_PER_S = 3
READINGS_PER_S = 10
# Every so many changes are of a patient whom all the nurses care for: all streams have to tell of them.
COVERED_EVERY = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Who has to hear of something, and when its commit began."""

    logins: frozenset[str]
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCase:
    """``carers``: the logins of the listening nurses who care for its patient."""

    case_id: UUID
    patient_id: UUID
    carers: frozenset[str]


@dataclass(slots=True, kw_only=True)
class Clinic:
    """Open cases of one nurse's patients each, and of those whom all care for. ``told``: by the id of the event."""

    own: Sequence[OpenCase]
    covered: Sequence[OpenCase]
    told: dict[str, Told] = field(default_factory=dict)
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 -- draws cases, no secrets

    async def go_on(self, database_url: str) -> None:
        """Until cancelled: things happen at these rates, whatever else goes on."""
        await asyncio.gather(
            _evenly(database_url, CHANGES_PER_S, self._change), _evenly(database_url, READINGS_PER_S, self._measure)
        )

    async def _change(self, connection: Connection, number: int) -> None:
        case = self.chance.choice(self.own if number % COVERED_EVERY else self.covered)
        at = clock.now()
        cursor = await connection.execute(_CHANGE, {"case_id": case.case_id, "at": at})
        row = await cursor.fetchone()
        event_id = row[0] if row else 0
        await _announce(
            connection, type="case", case_id=str(case.case_id), patient_id=str(case.patient_id), event_id=event_id
        )
        await self._commit(connection, str(event_id), case)

    async def _measure(self, connection: Connection, _: int) -> None:
        of, reading_id = self.chance.choice(self.own), uuid4()
        await _announce(
            connection, type="reading", reading_id=str(reading_id), patient_id=str(of.patient_id), kind="glucose"
        )
        await self._commit(connection, reading_id.hex, of)

    async def _commit(self, connection: Connection, event_id: str, of: OpenCase) -> None:
        self.told[event_id] = Told(logins=of.carers, at=clock.monotonic())
        await connection.commit()


async def _evenly(database_url: str, per_s: float, deed: Callable[[Connection, int], Awaitable[None]]) -> None:
    loop = asyncio.get_running_loop()
    async with await AsyncConnection.connect(database_url, application_name="pulsepost-bench") as connection:
        begun, number = loop.time(), 0
        while True:
            await asyncio.sleep(max(0.0, begun + number / per_s - loop.time()))
            await deed(connection, number)
            number += 1


async def _announce(connection: Connection, **notice: object) -> None:
    await connection.execute("SELECT pg_notify('live', %s)", (json.dumps(notice),))


# A further finding joins: the case's row and its history.
_CHANGE = """
WITH changed AS (
    UPDATE alert_case SET changed_at = %(at)s WHERE case_id = %(case_id)s RETURNING case_id, state
)
INSERT INTO case_event (case_id, at, event, from_state, to_state)
SELECT case_id, %(at)s, 'join', state, state FROM changed
RETURNING event_id
"""
