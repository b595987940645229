"""The library: written by one, approved by a doctor who is another, given, read; each with its audit row of ids."""

from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Role, Session
from cloud.crm.education import entries, store
from cloud.crm.education.models import Article, Draft, Given
from cloud.crm.education.proposals import proposals
from cloud.crm.reach import store as reach
from cloud.crm.reach.models import What
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# Whoever has not opened it after that is not told outside any more; it stays on their page.
TOLD_WITHIN: Final = timedelta(days=7)


async def articles(conn: Connection, session: Session, now: datetime) -> list[Article]:
    """All there ever were."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="library.read", subject="library:all"
    )
    return await store.articles(conn)


def untaken(found: list[Article]) -> list[Draft]:
    """Proposals that nobody has taken up, or only an older version of them."""
    taken = {one.proposal for one in found}
    return [one for one in proposals().values() if one.proposal not in taken]


async def write(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """A draft, the next version of its name. Refused."""
    return await keep(conn, session, entries.draft(form), now)


async def keep(conn: Connection, session: Session, draft: Draft, now: datetime) -> UUID:
    """The same of what was checked already."""
    article_id = await store.add(conn, draft, session.account_id, now)
    await audit.record_by(conn, session, now, "article.write", f"article:{article_id}")
    return article_id


async def take_up(conn: Connection, session: Session, name: str, now: datetime) -> UUID | None:
    """A proposal becomes a draft of whoever takes it up. None: there is no such proposal, or it was taken up."""
    proposed = proposals().get(name)
    if proposed is None or proposed not in untaken(await store.articles(conn)):
        return None
    return await keep(conn, session, proposed, now)


async def approve(conn: Connection, session: Session, article_id: UUID, form: Form, today: date, now: datetime) -> bool:
    """From now on patients see it, until somebody reads it again on that day. Refused.

    False: there is no such draft, it is one's own, or who asked the question does not agree.
    """
    review_on = entries.review_on(form, today)
    if not await store.approve(conn, article_id, review_on, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "article.approve", f"article:{article_id}")
    return True


async def look_again(
    conn: Connection, session: Session, article_id: UUID, form: Form, today: date, now: datetime
) -> bool:
    """It was read, and holds. Refused. False: it is not in force."""
    if not await store.look_again(conn, article_id, entries.review_on(form, today)):
        return False
    await audit.record_by(conn, session, now, "article.review", f"article:{article_id}")
    return True


async def retire(conn: Connection, session: Session, article_id: UUID, form: Form, now: datetime) -> bool:
    """Patients see it no more: by a doctor, or a draft by who wrote it. Refused. False: there is none, or it is out."""
    found = await store.article(conn, article_id)
    is_own_draft = found is not None and found.standing == "draft" and found.author_id == session.account_id
    if session.role is not Role.DOCTOR and not is_own_draft:
        return False
    if not await store.retire(conn, article_id, entries.why(form), session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "article.retire", f"article:{article_id}")
    return True


async def give(
    conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime, case_id: UUID | None = None
) -> None:
    """The article that the form names; the patient hears that there is something. Refused."""
    article_id = fields.id_of(form.get("article", ""))
    if article_id is None:
        raise Refused("give", {"article": Refusal("choose")}, form)
    given_id = await store.give(conn, patient_id, article_id, case_id, session.account_id, now)
    if given_id is None:
        raise Refused("give", {"article": Refusal("given_already")}, form)
    await reach.tell_from_page(
        conn, patient_id, What.ARTICLE, f"article:{given_id}", now, subject_id=given_id, until=now + TOLD_WITHIN
    )
    await audit.record_by(conn, session, now, "article.give", f"article:{article_id}", patient_id)


async def given(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> list[Given]:
    """What one patient was given, for somebody who cares for them."""
    await audit.record_reading_on(
        conn,
        at=now,
        account_id=session.account_id,
        action="given.read",
        subject=f"patient:{patient_id}",
        patient_id=patient_id,
        opened_by=("patient.read", "case.read"),
    )
    return await store.given(conn, patient_id)


async def opened(
    conn: Connection, session: Session, patient_id: UUID, article_id: UUID, now: datetime
) -> Article | None:
    """The article on the patient's screen: what was given of it is read from now on. None: it is in no library."""
    found = await store.holding(conn, article_id)
    if found is not None and await store.read(conn, patient_id, found.article_id, now):
        await audit.record_by(conn, session, now, "article.read", f"article:{found.article_id}", patient_id)
    return found
