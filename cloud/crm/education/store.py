"""All SQL of the library; the caller has checked who asks, and row security asks again."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from cloud.crm.education.models import Article, Draft, Given
from cloud.crm.reach.models import Outside
from cloud.db.connect import Connection

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 50
GIVEN_SHOWN: Final = 100

_ARTICLE: Final = """
SELECT x.article_id, x.name, x.version, x.topic, x.condition, x.titles, x.bodies, x.link, x.sources, x.proposal,
       w.display_name AS written_by, x.written_by AS author_id, x.written_at, a.display_name AS approved_by,
       x.approved_at, x.review_on, r.display_name AS retired_by, x.retired_at, x.retired_why
FROM article x JOIN account w ON w.account_id = x.written_by
LEFT JOIN account a ON a.account_id = x.approved_by LEFT JOIN account r ON r.account_id = x.retired_by
"""
_IN_FORCE: Final = "x.approved_at IS NOT NULL AND x.retired_at IS NULL"

_ADD: Final = """
INSERT INTO article (name, version, topic, condition, titles, bodies, link, sources, proposal, written_by, written_at)
SELECT %(name)s, coalesce(max(version), 0) + 1, %(topic)s, %(condition)s, %(titles)s, %(bodies)s, %(link)s, %(sources)s,
       %(proposal)s, %(by)s, %(at)s
FROM article WHERE name = %(name)s RETURNING article_id
"""

# Of what was given: its own title, and the version that holds now under its name.
_GIVEN: Final = """
SELECT coalesce(n.titles, x.titles) AS title, b.display_name AS given_by, g.given_at, g.case_id, g.read_at, n.article_id
FROM article_given g JOIN article x USING (article_id) JOIN account b ON b.account_id = g.given_by
LEFT JOIN article n ON n.name = x.name AND n.approved_at IS NOT NULL AND n.retired_at IS NULL
WHERE g.patient_id = %s ORDER BY g.given_at DESC, g.given_id LIMIT %s
"""

_ONE_BY_ONE: Final = """
SELECT pg_advisory_xact_lock(hashtextextended('article ' || name, 0)) FROM article WHERE article_id = %(article)s
"""
# A draft of somebody else, of which nobody has taken back that it may be published.
_SUPERSEDE: Final = """
UPDATE article SET retired_by = %(by)s, retired_at = %(at)s, retired_why = 'superseded'
WHERE approved_at IS NOT NULL AND retired_at IS NULL
  AND name = (SELECT name FROM article WHERE article_id = %(article)s AND approved_at IS NULL AND retired_at IS NULL
              AND written_by <> %(by)s AND may_be_published(name))
"""
_APPROVE: Final = """
UPDATE article SET approved_by = %(by)s, approved_at = %(at)s, review_on = %(review_on)s
WHERE article_id = %(article)s AND approved_at IS NULL AND retired_at IS NULL AND written_by <> %(by)s
  AND may_be_published(name)
"""

_GIVE: Final = """
INSERT INTO article_given (patient_id, article_id, case_id, given_by, given_at)
SELECT %(patient)s, x.article_id,
       (SELECT c.case_id FROM alert_case c WHERE c.case_id = %(case)s AND c.patient_id = %(patient)s), %(by)s, %(at)s
FROM article x WHERE x.article_id = %(article)s AND x.approved_at IS NOT NULL AND x.retired_at IS NULL
ON CONFLICT DO NOTHING RETURNING given_id
"""

_READ: Final = """
UPDATE article_given g SET read_at = %(at)s, read_article_id = %(article)s
FROM article x, article n
WHERE g.patient_id = %(patient)s AND g.read_at IS NULL AND x.article_id = g.article_id
  AND n.article_id = %(article)s AND n.name = x.name
"""


async def articles(conn: AsyncConn) -> list[Article]:
    """All there ever were, by topic and name, the newest version first."""
    async with conn.cursor(row_factory=class_row(Article)) as cursor:
        await cursor.execute(f"{_ARTICLE} ORDER BY x.topic, x.name, x.version DESC")
        return await cursor.fetchall()


async def in_force(conn: AsyncConn) -> list[Article]:
    """What patients may be given and read, by topic and name."""
    async with conn.cursor(row_factory=class_row(Article)) as cursor:
        await cursor.execute(f"{_ARTICLE} WHERE {_IN_FORCE} ORDER BY x.topic, x.name")
        return await cursor.fetchall()


async def article(conn: AsyncConn, article_id: UUID) -> Article | None:
    async with conn.cursor(row_factory=class_row(Article)) as cursor:
        await cursor.execute(f"{_ARTICLE} WHERE x.article_id = %s", (article_id,))
        return await cursor.fetchone()


async def holding(conn: AsyncConn, article_id: UUID) -> Article | None:
    """The version that is in force under the name of this one: an old link leads to what holds now."""
    async with conn.cursor(row_factory=class_row(Article)) as cursor:
        await cursor.execute(
            f"{_ARTICLE} JOIN article o ON o.name = x.name WHERE {_IN_FORCE} AND o.article_id = %s", (article_id,)
        )
        return await cursor.fetchone()


async def versions(conn: AsyncConn, name: str) -> list[Article]:
    """The newest first."""
    async with conn.cursor(row_factory=class_row(Article)) as cursor:
        await cursor.execute(f"{_ARTICLE} WHERE x.name = %s ORDER BY x.version DESC", (name,))
        return await cursor.fetchall()


async def ids_in_force(conn: AsyncConn) -> Mapping[str, UUID]:
    """Name → the version that holds."""
    cursor = await conn.execute(
        "SELECT name, article_id FROM article WHERE approved_at IS NOT NULL AND retired_at IS NULL"
    )
    return dict(await cursor.fetchall())


async def add(conn: AsyncConn, draft: Draft, by: UUID, at: datetime) -> UUID:
    """The next version of its name."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('article ' || %s, 0))", (draft.name,))
    cursor = await conn.execute(
        _ADD,
        {
            "name": draft.name,
            "topic": draft.topic,
            "condition": draft.condition,
            "titles": Jsonb(dict(draft.titles)),
            "bodies": Jsonb(dict(draft.bodies)),
            "link": draft.link,
            "sources": draft.sources,
            "proposal": draft.proposal,
            "by": by,
            "at": at,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise LookupError("an INSERT gives its row")
    made: UUID = row[0]
    return made


async def approve(conn: AsyncConn, article_id: UUID, review_on: date, by: UUID, at: datetime) -> bool:
    """What held before under this name holds no more.

    False: it is no draft, one's own, or made of a question whose patient does not agree any more.
    """
    given = {"article": article_id, "by": by, "at": at, "review_on": review_on}
    # Of two drafts of one name that are approved at once, the one that comes second is what holds.
    await conn.execute(_ONE_BY_ONE, given)
    await conn.execute(_SUPERSEDE, given)
    cursor = await conn.execute(_APPROVE, given)
    return cursor.rowcount == 1


async def look_again(conn: AsyncConn, article_id: UUID, review_on: date) -> bool:
    """Somebody read it, and it holds until then. False: it is not in force."""
    cursor = await conn.execute(
        """UPDATE article SET review_on = %s
           WHERE article_id = %s AND approved_at IS NOT NULL AND retired_at IS NULL""",
        (review_on, article_id),
    )
    return cursor.rowcount == 1


async def retire(conn: AsyncConn, article_id: UUID, why: str, by: UUID, at: datetime) -> bool:
    """False: there is none, or it is out already."""
    cursor = await conn.execute(
        """UPDATE article SET retired_by = %s, retired_at = %s, retired_why = %s
           WHERE article_id = %s AND retired_at IS NULL""",
        (by, at, why, article_id),
    )
    return cursor.rowcount == 1


# What is given --------------------------------------------------------------------------------------------------------


async def give(
    conn: AsyncConn, patient_id: UUID, article_id: UUID, case_id: UUID | None, by: UUID, at: datetime
) -> UUID | None:
    """None: they have it, and have not opened it yet; or it is not in force."""
    cursor = await conn.execute(
        _GIVE, {"patient": patient_id, "article": article_id, "case": case_id, "by": by, "at": at}
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def given(conn: AsyncConn, patient_id: UUID) -> list[Given]:
    """To one patient, the newest first."""
    async with conn.cursor(row_factory=class_row(Given)) as cursor:
        await cursor.execute(_GIVEN, (patient_id, GIVEN_SHOWN))
        return await cursor.fetchall()


async def read(conn: AsyncConn, patient_id: UUID, article_id: UUID, at: datetime) -> int:
    """The patient has opened this version; how many given ones were unread until now."""
    cursor = await conn.execute(_READ, {"patient": patient_id, "article": article_id, "at": at})
    return cursor.rowcount


async def patient_of_case(conn: AsyncConn, case_id: UUID) -> UUID | None:
    """None: no such case for this account."""
    cursor = await conn.execute("SELECT patient_id FROM alert_case WHERE case_id = %s", (case_id,))
    row = await cursor.fetchone()
    return row[0] if row else None


# The jobs -------------------------------------------------------------------------------------------------------------


def is_needed(connection: Connection, outside: Outside, now: datetime) -> bool:
    """Of what was given: whether the patient has not opened it yet."""
    del now
    row = connection.execute(
        "SELECT FROM article_given WHERE given_id = %s AND read_at IS NULL", (outside.subject_id,)
    ).fetchone()
    return row is not None
