"""One person's view of what happens: what they may see of it, as events ready to send."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from fastapi.sse import format_sse_event

from cloud.auth import service as auth
from cloud.auth import store as accounts
from cloud.auth.models import CLINICAL, Role, Session
from cloud.console.edge import Connection, Pool
from cloud.live.models import CaseChanged, Notice, ReadingStored
from cloud.worklist import store as worklist
from cloud.worklist.views import row, rows


@dataclass(frozen=True, slots=True)
class Viewer:
    """A signed-in person at an open stream; ``patient_id`` narrows it to one patient."""

    pool: Pool
    now: Callable[[], datetime]
    session: Session
    patient_id: UUID | None

    @property
    def sees_anything(self) -> bool:
        return self.session.role in CLINICAL or self.session.role is Role.PATIENT

    async def is_signed_in(self) -> bool:
        """Whether the session that opened the stream still holds."""
        async with self.pool.connection() as conn:
            return await auth.still_valid(conn, self.session.token_hash, self.now()) is not None

    async def everything(self) -> bytes:
        """The ``worklist`` event: all open cases; nothing for a patient."""
        if self.session.role not in CLINICAL:
            return b""
        async with self.pool.connection() as conn:
            latest = await worklist.latest_event(conn)
            if self.patient_id is None:
                cases = await worklist.open_cases(conn, self.session.account_id)
            else:
                cases = await worklist.open_cases_of(conn, self.session.account_id, self.patient_id)
        html = rows(cases, self.session, self.now())
        return format_sse_event(event="worklist", id=str(latest), data_str=html)

    async def event(self, notice: Notice) -> bytes:
        """The event for this person; empty when it is none of their business."""
        if self.patient_id not in (None, notice.patient_id):
            return b""
        async with self.pool.connection() as conn:
            if isinstance(notice, CaseChanged):
                return await self._case(conn, notice)
            return await self._reading(conn, notice)

    async def _case(self, conn: Connection, notice: CaseChanged) -> bytes:
        if self.session.role not in CLINICAL:
            return b""
        case = await worklist.case(conn, self.session.account_id, notice.case_id)
        if case is None:
            return b""
        html = row(case, self.session, self.now())
        return format_sse_event(event="case", id=str(notice.event_id), data_str=html)

    async def _reading(self, conn: Connection, notice: ReadingStored) -> bytes:
        if self.session.role is Role.PATIENT:
            allowed = notice.patient_id == self.session.patient_id
        else:
            allowed = await accounts.in_care_team(conn, self.session.account_id, notice.patient_id)
        if not allowed:
            return b""
        data = {"reading_id": notice.reading_id.hex, "patient_id": str(notice.patient_id), "kind": notice.kind}
        return format_sse_event(event="reading", data_str=msgspec.json.encode(data).decode())
