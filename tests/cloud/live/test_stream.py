"""A stream among many: what all have to look up at once is looked up in turns."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from uuid import UUID

from cloud.auth.models import Role, Session
from cloud.db.pool import make_pool
from cloud.live.hub import TURNS, Hub
from cloud.live.models import Notice
from cloud.live.service import Viewer
from cloud.live.stream import events
from tests.cloud.live.test_hub import hub
from tests.cloud.made import NOW, Ward

__all__ = ["hub"]  # a fixture


@dataclass(slots=True)
class Desk:
    """How many look something up, and how many did at most."""

    now: int = 0
    most: int = 0


@dataclass(slots=True)
class Asking(Viewer):
    """Takes its time to look everything up."""

    desk: Desk = field(default_factory=Desk)

    @property
    def sees_anything(self) -> bool:
        return True

    async def everything(self) -> bytes:
        self.desk.now += 1
        self.desk.most = max(self.desk.most, self.desk.now)
        for _ in range(10):
            await asyncio.sleep(0)  # the others have a chance to come in
        self.desk.now -= 1
        return b"everything"

    async def event(self, notice: Notice) -> bytes:
        raise AssertionError(f"nothing has happened, but {notice}")


async def test_streams_that_begin_together_look_things_up_in_turns(hub: Hub, ward: Ward) -> None:
    desk, session = Desk(), _session(ward.nurse_id)
    # Nothing here asks for a connection: it is not opened.
    pool = make_pool(ward.database.console_url, "test", min_size=1, max_size=1)

    async def begin() -> bytes:
        async with aclosing(events(hub, Asking(pool, lambda: NOW, session, desk))) as stream:
            await anext(stream)
            return await anext(stream)

    assert await asyncio.gather(*(begin() for _ in range(3 * TURNS))) == [b"everything"] * 3 * TURNS
    assert desk == Desk(now=0, most=TURNS)


def _session(account_id: UUID) -> Session:
    return Session(
        token_hash=b"", csrf_token="", last_seen_at=NOW, account_id=account_id, login="nora", display_name="Nora",
        role=Role.NURSE, patient_id=None,
    )  # fmt: skip
