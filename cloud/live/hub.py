"""One LISTEN connection for the whole process, and everybody whose business it is.

What concerns a patient goes to the streams of those who may see that patient: asked of the database once for what came
together, not once by each of fifty streams, of which most would ask in vain.
The rule that keeps screens honest: a stream is open only while we listen. When the connection to the database is lost
every stream ends and none begins, so each page says "not receiving" by itself, and starts again from the whole truth.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection

from cloud.db.connect import CONNECT_TIMEOUT_S, noticing
from cloud.live.models import (
    CallTold,
    CaseChanged,
    Ended,
    HeldAnswered,
    MessageTold,
    Notice,
    PageSent,
    ReadingStored,
    TechnicalChanged,
    parse,
)

_log = logging.getLogger(__name__)

CHECK_EVERY_S: Final = 3.0
RECONNECT_AFTER_S: Final = 1.0
# A screen that has not taken this many events is not being looked at; it starts again when it comes back.
LONGEST_QUEUE: Final = 1000
# What fifty streams have to tell at once waits its turn: a page that somebody asked for meets few of them at the
# database and in the loop, not all.
TURNS: Final = 2

Queue = asyncio.Queue[Notice | Ended]


class NotListening(Exception):
    """The database does not tell us anything now; say so instead of pretending."""


class Hub:
    """Fan-out of the channel ``live``. Run ``run()`` as a task; ``close()`` ends every stream.

    A stream holds one of the ``turns`` while it looks something up.
    """

    def __init__(self, database_url: str) -> None:
        self.turns = asyncio.Semaphore(TURNS)
        self._url = database_url
        self._queues: dict[Queue, UUID] = {}
        self._listening = asyncio.Event()
        self._closed = False

    async def listening(self) -> None:
        """Return once we listen."""
        await self._listening.wait()

    @property
    def is_listening(self) -> bool:
        return self._listening.is_set()

    async def run(self) -> None:
        """Listen for ever, connecting anew whenever the connection is lost."""
        while not self._closed:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:  # a server in recovery, for one, refuses LISTEN as InternalError
                _log.warning("live: connection lost (%s)", type(error).__name__)
            finally:
                self._end(Ended("lost"))
            await asyncio.sleep(RECONNECT_AFTER_S)

    def close(self) -> None:
        """End every stream: the process stops."""
        self._closed = True
        self._end(Ended("closing"))

    @asynccontextmanager
    async def subscription(self, account_id: UUID) -> AsyncIterator[Queue]:
        """Everything told from now on that is this account's business; NotListening while there is nothing to hear."""
        if not self._listening.is_set():
            raise NotListening
        queue: Queue = asyncio.Queue(LONGEST_QUEUE)
        self._queues[queue] = account_id
        try:
            yield queue
        finally:
            self._queues.pop(queue, None)

    async def _listen(self) -> None:
        async with await _connect(self._url) as conn:
            await conn.execute("LISTEN live")
            self._listening.set()
            while not self._closed:
                # What came together, or what came while we asked.
                came = [one.payload async for one in conn.notifies(timeout=CHECK_EVERY_S, stop_after=1)]
                # Also finds a connection that died without a word.
                async with asyncio.timeout(CHECK_EVERY_S):
                    await self._spread(conn, [notice for payload in came if (notice := _parsed(payload))])

    async def _spread(self, conn: AsyncConnection[Any], notices: Sequence[Notice]) -> None:
        """To whom each is said, in their order."""
        of_patients = ReadingStored | HeldAnswered | CaseChanged | MessageTold
        patients = {notice.patient_id for notice in notices if isinstance(notice, of_patients)}
        cursor = await conn.execute(
            "SELECT patient_id, array_agg(account_id) FROM audience(%s, %s) GROUP BY 1",
            (list(patients), list({*self._queues.values()})),
        )
        audience = {patient_id: frozenset(accounts) for patient_id, accounts in await cursor.fetchall()}
        for notice in notices:
            match notice:
                case ReadingStored() | HeldAnswered() | CaseChanged() | MessageTold():
                    self._tell(notice, audience.get(notice.patient_id, frozenset()))
                case PageSent() | CallTold():
                    self._tell(notice, frozenset({notice.account_id}))
                case TechnicalChanged():
                    self._tell(notice, None)

    def _tell(self, notice: Notice, accounts: frozenset[UUID] | None) -> None:
        """None: everybody."""
        for queue, account_id in tuple(self._queues.items()):
            if accounts is not None and account_id not in accounts:
                continue
            try:
                queue.put_nowait(notice)
            except asyncio.QueueFull:
                self._drop(queue, Ended("behind"))

    def _end(self, why: Ended) -> None:
        self._listening.clear()
        for queue in tuple(self._queues):
            self._drop(queue, why)

    def _drop(self, queue: Queue, why: Ended) -> None:
        self._queues.pop(queue, None)
        with suppress(asyncio.QueueEmpty):
            while queue.full():
                queue.get_nowait()
        queue.put_nowait(why)


def _parsed(payload: str) -> Notice | None:
    try:
        return parse(payload)
    except msgspec.DecodeError:
        _log.error("live: a notification of %d characters is none of ours", len(payload))
        return None


async def _connect(url: str) -> AsyncConnection[Any]:
    return await AsyncConnection.connect(
        noticing(url), autocommit=True, application_name="pulsepost-live", connect_timeout=CONNECT_TIMEOUT_S
    )
