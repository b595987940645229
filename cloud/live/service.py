"""One person's view of what happens: what they may see of it, as events ready to send."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from fastapi.sse import format_sse_event

from cloud.audit import store as audit
from cloud.auth import service as auth
from cloud.auth import store as accounts
from cloud.auth.models import CLINICAL, TECHNICAL, Role, Session
from cloud.components import service as components
from cloud.components.views import html as our_side_html
from cloud.console.edge import Connection
from cloud.db.acting import acting
from cloud.db.pool import Pool
from cloud.duty import service as duty
from cloud.duty.views import html as gaps_html
from cloud.live.models import (
    CallTold,
    CaseChanged,
    HeldAnswered,
    MessageTold,
    Notice,
    PageSent,
    ReadingStored,
    TechnicalChanged,
)
from cloud.technical import service as technical
from cloud.technical import views as technical_views
from cloud.worklist import store as worklist
from cloud.worklist.models import Show
from cloud.worklist.views import belongs, row, rows


@dataclass(slots=True)
class Viewer(ABC):
    """A signed-in person at an open stream."""

    pool: Pool
    now: Callable[[], datetime]
    session: Session

    @property
    @abstractmethod
    def sees_anything(self) -> bool:
        """Whether this stream has something for the person's role."""

    @abstractmethod
    async def everything(self) -> bytes:
        """The event that a stream begins with; empty where there is none."""

    @abstractmethod
    async def event(self, notice: Notice) -> bytes:
        """The event for this person; empty when it is none of their business."""

    def page(self, notice: PageSent | CallTold) -> bytes:
        """The ``page`` or ``call`` event: this person's pages or calls have changed. Empty for others."""
        mine = notice.account_id == self.session.account_id
        return format_sse_event(event="page" if isinstance(notice, PageSent) else "call", data_str="") if mine else b""

    async def news_at_beat(self) -> bytes:
        """What nobody announces and has to be looked up: empty where nothing changed since the last beat."""
        return b""

    async def is_signed_in(self) -> bool:
        """Whether the session that opened the stream still holds."""
        async with self.pool.connection() as conn:
            return await auth.still_valid(conn, self.session.token_hash, self.now()) is not None


@dataclass(slots=True)
class CareViewer(Viewer):
    """Somebody who looks after patients, or a patient; ``patient_id`` narrows it to one patient, with all their cases.

    ``show``: which cases the page shows; of one patient it says nothing.
    """

    patient_id: UUID | None
    show: Show = Show.OPEN
    _our_side: str = ""

    @property
    def sees_anything(self) -> bool:
        return self.session.role in CLINICAL or self.session.role is Role.PATIENT

    async def may_open(self, conn: Connection) -> bool:
        """Whether the one patient, if it is for one, may be seen: nothing is written of who is not there."""
        return self.patient_id is None or await self._sees(conn, self.patient_id)

    async def everything(self) -> bytes:
        """The ``worklist`` event: all open cases; nothing for a patient."""
        if self.session.role not in CLINICAL:
            return b""
        async with acting(self.pool, self.session.account_id) as conn:
            await self._record(conn)
            latest = await worklist.latest_event(conn)
            if self.patient_id is None:
                cases = await worklist.cases(conn, self.session.account_id, self.show, self.now())
            else:
                cases = await worklist.open_cases_of(conn, self.session.account_id, self.patient_id)
            self._our_side = await self._rendered_our_side(conn)
        html = rows(cases, self.session, self.now())
        return _our_side(self._our_side) + format_sse_event(event="worklist", id=str(latest), data_str=html)

    async def event(self, notice: Notice) -> bytes:
        if isinstance(notice, PageSent | CallTold):
            return self.page(notice)
        if isinstance(notice, TechnicalChanged) or self.patient_id not in (None, notice.patient_id):
            return b""
        async with acting(self.pool, self.session.account_id) as conn:
            if isinstance(notice, CaseChanged):
                return await self._case(conn, notice)
            if isinstance(notice, MessageTold):
                return await self._message(conn, notice)
            if isinstance(notice, HeldAnswered):
                return await self._held(conn, notice)
            return await self._reading(conn, notice)

    async def news_at_beat(self) -> bytes:
        """The ``our_side`` event, when our own side fell or rose: a process that is dead announces nothing."""
        if self.session.role not in CLINICAL:
            return b""
        async with acting(self.pool, self.session.account_id) as conn:
            html = await self._rendered_our_side(conn)
        if html == self._our_side:
            return b""
        self._our_side = html
        return _our_side(html)

    async def _sees(self, conn: Connection, patient_id: UUID) -> bool:
        if self.session.role is Role.PATIENT:
            return patient_id == self.session.patient_id
        return await accounts.in_care(conn, self.session.account_id, patient_id)

    async def _record(self, conn: Connection) -> None:
        """It belongs to the page that opened it; without one, or again after a while, it is written down."""
        of = self.patient_id
        await audit.record_reading_on(
            conn,
            at=self.now(),
            account_id=self.session.account_id,
            action="worklist.read",
            subject=f"worklist:{self.show}" if of is None else f"patient:{of}",
            patient_id=of,
            opened_by=() if of is None else ("patient.read", "case.read", "plan.read"),
        )

    async def _rendered_our_side(self, conn: Connection) -> str:
        html = our_side_html(await components.our_side(conn, self.now()), self.session.language)
        if self.patient_id is not None:
            return html
        # Of a gap nobody announces that it has begun or is over, either.
        return html + gaps_html(await duty.gaps_for(conn, self.session, self.now()), self.session)

    async def _case(self, conn: Connection, notice: CaseChanged) -> bytes:
        if self.session.role not in CLINICAL:
            return b""
        look_up = worklist.case if self.patient_id else worklist.listed_case
        case = await look_up(conn, self.session.account_id, notice.case_id)
        if case is None:
            return b""
        listed = belongs(case, None if self.patient_id else self.show)
        html = row(case, self.session, self.now(), listed=listed)
        return format_sse_event(event="case", id=str(notice.event_id), data_str=html)

    async def _message(self, conn: Connection, notice: MessageTold) -> bytes:
        """The ``messages`` event: "new" where the other side wrote, "changed" where a count may differ; no content."""
        if not await self._sees(conn, notice.patient_id):
            return b""
        is_patient = self.session.role is Role.PATIENT
        is_news = notice.is_new and notice.from_patient != is_patient
        return format_sse_event(event="messages", data_str="new" if is_news else "changed")

    async def _held(self, conn: Connection, notice: HeldAnswered) -> bytes:
        """The ``held`` event, without content."""
        return format_sse_event(event="held", data_str="answered") if await self._sees(conn, notice.patient_id) else b""

    async def _reading(self, conn: Connection, notice: ReadingStored) -> bytes:
        if not await self._sees(conn, notice.patient_id):
            return b""
        data = {"reading_id": notice.reading_id.hex, "patient_id": str(notice.patient_id), "kind": notice.kind}
        return format_sse_event(event="reading", data_str=msgspec.json.encode(data).decode())


@dataclass(slots=True)
class TechnicalViewer(Viewer):
    """Somebody at the technical queue."""

    @property
    def sees_anything(self) -> bool:
        return self.session.role in TECHNICAL

    async def everything(self) -> bytes:
        """The ``technical`` event: the whole queue. At most so many rows as a page shows, so it need not be clever."""
        async with acting(self.pool, self.session.account_id) as conn:
            queue = await technical.queue(conn)
        html = technical_views.rows(queue, self.session, self.now())
        return format_sse_event(event="technical", data_str=html)

    async def event(self, notice: Notice) -> bytes:
        if isinstance(notice, PageSent | CallTold):
            return self.page(notice)
        return await self.everything() if isinstance(notice, TechnicalChanged) else b""


def _our_side(html: str) -> bytes:
    return format_sse_event(event="our_side", data_str=html)
