"""All SQL of segments, strata and tags, but what a condition asks (``predicates``).

It is asked by the session's connection: row security shows whoever asks their own patients, and nobody else.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier
from psycopg.types.json import Jsonb

from cloud.auth.care_team import IN_CARE
from cloud.crm.segments.models import Condition, Counted, Kind, Member, Place, Segment, Strata, Stratum, Tag, Wanted
from cloud.crm.segments.predicates import OWN, Compiled
from cloud.db.connect import one

Connection = AsyncConnection[Any]

# Whom they find -------------------------------------------------------------------------------------------------------


# Of a patient who was found, in the order of Member.
_FACTS: Final = SQL(
    """p.patient_id, p.display_name, p.birth_date, p.language,
       (SELECT g.display_name FROM programme g WHERE g.programme_id = coalesce(
           (SELECT m.programme_id FROM patient_programme m
            WHERE m.patient_id = p.patient_id AND m.valid @> %(now)s), 'standard'))"""
)


class _Looked:
    """All own patients with a column for each condition of some lists: what several of them ask is asked once."""

    def __init__(self, compiled: Compiled, lists: Sequence[Sequence[Condition]]) -> None:
        self._columns: dict[tuple[Kind, tuple[tuple[str, str], ...]], tuple[Identifier, Composed]] = {}
        for condition in chain.from_iterable(lists):
            key = _key(condition)
            if key not in self._columns:
                self._columns[key] = Identifier(f"holds_{len(self._columns)}"), compiled.all_of([condition])

    def held(self) -> Composed:
        """The query."""
        columns = [SQL(", {} AS {}").format(holds, name) for name, holds in self._columns.values()]
        return SQL("SELECT p.patient_id, p.display_name {} FROM patient p WHERE {}").format(SQL(" ").join(columns), OWN)

    def all_of(self, conditions: Sequence[Condition]) -> Composed:
        """Of one of its rows: whether all of these hold."""
        return SQL(" AND ").join([self._columns[_key(one)][0] for one in conditions])

    def first(self, placed: Sequence[Sequence[Condition]]) -> Composed:
        """Of one of its rows: the number of the first of these that finds it, or how many there are."""
        cases = [SQL("WHEN {} THEN {}").format(self.all_of(one), n) for n, one in enumerate(placed)]
        return SQL("CASE {} ELSE {} END").format(SQL(" ").join([*cases, SQL("WHEN false THEN 0")]), len(placed))


async def count(
    conn: Connection,
    account_id: UUID,
    asked: Sequence[Sequence[Condition]],
    now: datetime,
    placed: Sequence[Sequence[Condition]] = (),
) -> Counted:
    """How many of the account's patients each of these lists of conditions finds, in one look at them.

    ``placed``: other lists, of each of which is counted whom it is the first to find.
    """
    compiled = Compiled(account_id, now)
    looked = _Looked(compiled, (*asked, *placed))
    query = SQL(
        """WITH held AS MATERIALIZED ({held}), placed AS (SELECT *, {first} AS place FROM held)
           SELECT count(*), (SELECT min(counted_at) FROM patient_measures) {asked} {placed} FROM placed"""
    ).format(
        held=looked.held(),
        first=looked.first(placed),
        asked=SQL(" ").join([SQL(", count(*) FILTER (WHERE {})").format(looked.all_of(one)) for one in asked]),
        placed=SQL(" ").join([SQL(", count(*) FILTER (WHERE place = {})").format(n) for n in range(len(placed) + 1)]),
    )
    patients, oldest, *many = one(await (await conn.execute(query, compiled.parameters)).fetchone())
    return Counted(patients=patients, many=many[: len(asked)], firsts=many[len(asked) :], oldest=oldest)


def _key(condition: Condition) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    """The same for conditions that ask the same."""
    return condition.kind, tuple(sorted(condition.values.items()))


async def members(
    conn: Connection, account_id: UUID, conditions: Sequence[Condition], now: datetime, most: int, after: int = 0
) -> list[Member]:
    """Whom the conditions find, by name, with what of each of them holds."""
    compiled = Compiled(account_id, now)
    found = SQL(", ").join([compiled.found(condition) for condition in conditions])
    # Who is found is settled before anything is looked up of them.
    query = SQL(
        """WITH found AS MATERIALIZED (
               SELECT p.patient_id FROM patient p WHERE {own} AND {where}
               ORDER BY p.display_name, p.patient_id LIMIT {most} OFFSET {after})
           SELECT {facts}, jsonb_build_array({found})
           FROM found JOIN patient p USING (patient_id) ORDER BY p.display_name, p.patient_id"""
    ).format(own=OWN, where=compiled.all_of(conditions), most=most, after=after, facts=_FACTS, found=found)
    return [Member(*row) for row in await (await conn.execute(query, compiled.parameters)).fetchall()]


async def first_found(
    conn: Connection,
    account_id: UUID,
    placed: Sequence[Sequence[Condition]],
    places: Sequence[int],
    now: datetime,
    most: int,
    after: int,
) -> list[tuple[int, Member]]:
    """Whom these of the ``placed`` lists are the first to find, in the lists' order and by name: (which, whom)."""
    compiled = Compiled(account_id, now)
    looked = _Looked(compiled, placed)
    found = [
        SQL("WHEN {} THEN jsonb_build_array({})").format(n, SQL(", ").join([compiled.found(one) for one in placed[n]]))
        for n in places
    ]
    query = SQL(
        """WITH held AS MATERIALIZED ({held}),
                found AS MATERIALIZED (
                    SELECT * FROM (SELECT patient_id, display_name, {first} AS place FROM held) placed
                    WHERE place = ANY({places}) ORDER BY place, display_name, patient_id LIMIT {most} OFFSET {after})
           SELECT place, {facts}, CASE place {found} END
           FROM found JOIN patient p USING (patient_id) ORDER BY place, p.display_name, p.patient_id"""
    ).format(
        held=looked.held(), first=looked.first(placed), places=list(places), most=most, after=after, facts=_FACTS,
        found=SQL(" ").join(found),
    )  # fmt: skip
    rows = await (await conn.execute(query, compiled.parameters)).fetchall()
    return [(place, Member(*row)) for place, *row in rows]


async def patients_of(conn: Connection, account_id: UUID, conditions: Sequence[Condition], now: datetime) -> list[UUID]:
    """All whom the conditions find."""
    compiled = Compiled(account_id, now)
    where = SQL("SELECT p.patient_id FROM patient p WHERE {} AND {}").format(OWN, compiled.all_of(conditions))
    return [patient_id for (patient_id,) in await (await conn.execute(where, compiled.parameters)).fetchall()]


async def first_match(
    conn: Connection, account_id: UUID, patient_id: UUID, lists: Sequence[Sequence[Condition]], now: datetime
) -> tuple[int, list[Any]] | None:
    """The first of the lists that finds this patient, and what holds of them; None: none does, or nobody watches."""
    compiled = Compiled(account_id, now, [patient_id])
    cases = [SQL("WHEN {} THEN {}").format(compiled.all_of(conditions), n) for n, conditions in enumerate(lists)]
    compiled.parameters["patient_id"] = patient_id
    query = SQL(
        """SELECT CASE {cases} END FROM patient p
           WHERE p.patient_id = %(patient_id)s AND {in_care} AND NOT p.training
             AND NOT EXISTS (SELECT FROM participation w WHERE w.patient_id = p.patient_id AND w.is_newest
                               AND w.watched_from IS NULL)"""
    ).format(cases=SQL(" ").join(cases), in_care=IN_CARE)
    row = await (await conn.execute(query, compiled.parameters)).fetchone()
    if row is None or row[0] is None:
        return None
    place = int(row[0])
    again = Compiled(account_id, now)
    again.parameters["patient_id"] = patient_id
    found = SQL(", ").join([again.found(condition) for condition in lists[place]])
    of = SQL("SELECT {} FROM patient p WHERE p.patient_id = %(patient_id)s").format(found)
    return place, list(one(await (await conn.execute(of, again.parameters)).fetchone()))


# Segments ------------------------------------------------------------------------------------------------------------

_SEGMENT: Final = """
SELECT s.segment_id, v.version, v.name, v.description, v.conditions, s.owner, o.display_name AS owner_name, s.shared,
       w.display_name AS written_by, v.written_at, s.retired_at
FROM segment s JOIN segment_version v USING (segment_id)
LEFT JOIN account o ON o.account_id = s.owner LEFT JOIN account w ON w.account_id = v.written_by
"""
# One's own, and what is shared.
_READABLE: Final = "(s.shared OR s.owner = %(account_id)s)"
_NEWEST: Final = "v.version = (SELECT max(n.version) FROM segment_version n WHERE n.segment_id = s.segment_id)"


def _condition(stored: Mapping[str, str]) -> Condition:
    values = {name: text for name, text in stored.items() if name not in ("kind", "source")}
    return Condition(kind=Kind(stored["kind"]), values=values, source=stored.get("source", ""))


def _segment(row: Sequence[Any]) -> Segment:
    (segment_id, version, name, description, stored, owner, owner_name, shared, written_by, written_at,
     retired_at) = row  # fmt: skip
    return Segment(
        segment_id=segment_id,
        version=version,
        name=name,
        description=description,
        conditions=[_condition(one) for one in stored],
        owner=owner,
        owner_name=owner_name,
        shared=shared,
        written_by=written_by,
        written_at=written_at,
        retired_at=retired_at,
    )


async def segments(conn: Connection, account_id: UUID) -> list[Segment]:
    """The newest version of each that the account may use, one's own first, without what is retired."""
    cursor = await conn.execute(
        f"""{_SEGMENT} WHERE s.retired_at IS NULL AND {_READABLE} AND {_NEWEST}
            ORDER BY s.owner IS NULL, s.owner <> %(account_id)s, v.name, s.segment_id""",
        {"account_id": account_id},
    )
    return [_segment(row) for row in await cursor.fetchall()]


async def own_segments(conn: Connection, account_id: UUID) -> int:
    """How many of the account's own are not retired; until the transaction ends it makes no other."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('segments:' || %s, 0))", (str(account_id),))
    cursor = await conn.execute("SELECT count(*) FROM segment WHERE owner = %s AND retired_at IS NULL", (account_id,))
    return int(one(await cursor.fetchone())[0])


async def versions(conn: Connection, account_id: UUID, segment_id: UUID) -> list[Segment]:
    """All there ever were of one, the newest first; retired or not. Empty: there is none, or it is another's own."""
    cursor = await conn.execute(
        f"{_SEGMENT} WHERE s.segment_id = %(segment_id)s AND {_READABLE} ORDER BY v.version DESC",
        {"account_id": account_id, "segment_id": segment_id},
    )
    return [_segment(row) for row in await cursor.fetchall()]


async def add(conn: Connection, wanted: Wanted, by: UUID, at: datetime) -> UUID:
    """Its first version."""
    cursor = await conn.execute(
        "INSERT INTO segment (owner, shared, made_at) VALUES (%s, %s, %s) RETURNING segment_id", (by, wanted.shared, at)
    )
    segment_id: UUID = one(await cursor.fetchone())[0]
    await _write(conn, segment_id, 1, wanted, by, at)
    return segment_id


async def change(conn: Connection, segment_id: UUID, seen: int, wanted: Wanted, by: UUID, at: datetime) -> bool:
    """Its next version. False: ``seen`` is not the newest any more, it is retired, or it is another's."""
    cursor = await conn.execute(
        """UPDATE segment s SET shared = %s
           WHERE segment_id = %s AND owner = %s AND retired_at IS NULL
             AND %s = (SELECT max(version) FROM segment_version v WHERE v.segment_id = s.segment_id)""",
        (wanted.shared, segment_id, by, seen),
    )
    if not cursor.rowcount:
        return False
    await _write(conn, segment_id, seen + 1, wanted, by, at)
    return True


async def _write(conn: Connection, segment_id: UUID, version: int, wanted: Wanted, by: UUID, at: datetime) -> None:
    await conn.execute(
        """INSERT INTO segment_version (segment_id, version, name, description, conditions, written_by, written_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s)""",
        (segment_id, version, wanted.name, wanted.description, Jsonb([c.stored() for c in wanted.conditions]), by, at),
    )


async def retire(conn: Connection, segment_id: UUID, by: UUID, at: datetime) -> bool:
    """False: not there, retired already, or another's."""
    cursor = await conn.execute(
        """UPDATE segment SET retired_by = %s, retired_at = %s
           WHERE segment_id = %s AND owner = %s AND retired_at IS NULL""",
        (by, at, segment_id, by),
    )
    return cursor.rowcount == 1


async def programmes(conn: Connection) -> list[tuple[str, str]]:
    cursor = await conn.execute("SELECT programme_id, display_name FROM programme ORDER BY display_name, programme_id")
    return await cursor.fetchall()


async def colleagues(conn: Connection, account_id: UUID) -> list[tuple[str, str]]:
    """Who cares for one of the account's patients, by name."""
    cursor = await conn.execute(
        """SELECT a.account_id::text, a.display_name FROM account a
           WHERE a.role IN ('nurse', 'lead_nurse', 'doctor', 'coordinator') AND a.account_id IN (
               SELECT x.account_id FROM care_team x WHERE x.since <= now() AND (x.until IS NULL OR x.until > now())
                 AND x.patient_id IN (SELECT y.patient_id FROM care_team y WHERE y.account_id = %s
                                        AND y.since <= now() AND (y.until IS NULL OR y.until > now())))
           ORDER BY a.display_name, a.account_id""",
        (account_id,),
    )
    return await cursor.fetchall()


# Strata --------------------------------------------------------------------------------------------------------------


async def strata(conn: Connection) -> Strata:
    """The set in force: there is always one."""
    cursor = await conn.execute(
        """SELECT s.set_no, w.display_name, s.written_by, s.written_at, g.display_name, s.signed_at
           FROM strata_set s LEFT JOIN account w ON w.account_id = s.written_by
           LEFT JOIN account g ON g.account_id = s.signed_by ORDER BY s.set_no DESC LIMIT 1"""
    )
    set_no, written_by, author_id, written_at, signed_by, signed_at = one(await cursor.fetchone())
    cursor = await conn.execute(
        f"""SELECT m.place, m.stratum, found.* FROM strata_member m
            JOIN ({_SEGMENT}) found USING (segment_id, version) WHERE m.set_no = %s ORDER BY m.place""",  # noqa: S608
        (set_no,),
    )
    places = [
        Place(place=place, stratum=Stratum(stratum), segment=_segment(rest))
        for place, stratum, *rest in await cursor.fetchall()
    ]
    return Strata(
        set_no=set_no,
        places=places,
        written_by=written_by,
        author_id=author_id,
        written_at=written_at,
        signed_by=signed_by,
        signed_at=signed_at,
    )


async def add_strata(conn: Connection, chosen: Sequence[tuple[Stratum, UUID, int]], by: UUID, at: datetime) -> int:
    """The next set, of these versions in this order; in force at once, as a proposal."""
    cursor = await conn.execute(
        "INSERT INTO strata_set (written_by, written_at) VALUES (%s, %s) RETURNING set_no", (by, at)
    )
    set_no = int(one(await cursor.fetchone())[0])
    async with conn.cursor() as writing:
        await writing.executemany(
            "INSERT INTO strata_member (set_no, place, stratum, segment_id, version) VALUES (%s, %s, %s, %s, %s)",
            [(set_no, place, stratum, segment_id, version) for place, (stratum, segment_id, version)
             in enumerate(chosen, start=1)],
        )  # fmt: skip
    return set_no


async def sign(conn: Connection, set_no: int, by: UUID, at: datetime) -> bool:
    """False: another set is in force by now, it is signed, or one's own."""
    cursor = await conn.execute(
        """UPDATE strata_set SET signed_by = %s, signed_at = %s
           WHERE set_no = %s AND signed_at IS NULL AND written_by IS DISTINCT FROM %s
             AND set_no = (SELECT max(set_no) FROM strata_set)""",
        (by, at, set_no, by),
    )
    return cursor.rowcount == 1


# Tags ----------------------------------------------------------------------------------------------------------------


async def tags(conn: Connection, patient_id: UUID) -> list[Tag]:
    """Those of now; the caller has checked who asks."""
    async with conn.cursor(row_factory=class_row(Tag)) as cursor:
        await cursor.execute(
            """SELECT t.tag_id, t.tag, a.display_name AS added_by, t.added_at
               FROM patient_tag t JOIN account a ON a.account_id = t.added_by
               WHERE t.patient_id = %s AND t.removed_at IS NULL ORDER BY t.tag""",
            (patient_id,),
        )
        return await cursor.fetchall()


async def known_tags(conn: Connection) -> list[str]:
    """Those that one's own patients have."""
    cursor = await conn.execute("SELECT DISTINCT tag FROM patient_tag WHERE removed_at IS NULL ORDER BY tag LIMIT 200")
    return [tag for (tag,) in await cursor.fetchall()]


async def add_tag(conn: Connection, patient_id: UUID, tag: str, by: UUID, at: datetime) -> UUID | None:
    """None: the patient has it already."""
    cursor = await conn.execute(
        """INSERT INTO patient_tag (patient_id, tag, added_by, added_at) VALUES (%s, %s, %s, %s)
           ON CONFLICT (patient_id, tag) WHERE removed_at IS NULL DO NOTHING RETURNING tag_id""",
        (patient_id, tag, by, at),
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def remove_tag(conn: Connection, patient_id: UUID, tag_id: UUID, by: UUID, at: datetime) -> bool:
    """False: there is none, or not any more."""
    cursor = await conn.execute(
        """UPDATE patient_tag SET removed_by = %s, removed_at = %s
           WHERE tag_id = %s AND patient_id = %s AND removed_at IS NULL""",
        (by, at, tag_id, patient_id),
    )
    return cursor.rowcount == 1
