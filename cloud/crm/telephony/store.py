"""All SQL of telephone systems: what the console shows and takes, what a system tells, and what the jobs ask of one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.errors import UniqueViolation
from psycopg.rows import class_row, dict_row

from cloud.crm.telephony.models import (
    ASKED_WITHIN,
    LONGEST_CALL,
    Agreed,
    Caller,
    Candidate,
    Due,
    Event,
    Recording,
    Ring,
    Ringing,
    Spoken,
    System,
    Telephone,
)
from cloud.db.connect import Connection, one

AsyncConn = AsyncConnection[Any]

SHOWN: Final = 50
# More in a minute from one system is no telephone system any more. A proposal of this project.
EVENTS_A_MINUTE: Final = 300

_SYSTEM: Final = "SELECT system_id, name, kind, settings, sealed FROM telephone_system WHERE active"

_HEAR: Final = """
SELECT telephone_hear(%(system)s, %(event_id)s, %(signed_at)s, %(now)s, %(most)s, %(what)s, %(remote_id)s,
                      %(direction)s, %(number)s, %(extension)s, %(ring_id)s, %(at)s, %(place)s, %(sha256)s,
                      %(hashed_by)s)
"""

_CALLER: Final = """
SELECT t.telephone_call_id, t.direction, t.number, t.started_at, t.answered_at, t.ended_at, t.call_id, p.patient_id,
       ARRAY(SELECT q.display_name FROM patient q WHERE t.number IS NOT NULL AND (
           EXISTS (SELECT FROM emergency_card c WHERE c.patient_id = q.patient_id AND c.superseded_at IS NULL
                   AND c.phones @> ARRAY[t.number])
           OR EXISTS (SELECT FROM contact_person c WHERE c.patient_id = q.patient_id AND c.removed_at IS NULL
                      AND c.phones @> ARRAY[t.number]))
           ORDER BY q.display_name) AS names
FROM telephone_call t LEFT JOIN patient p ON p.patient_id = t.patient_id
"""

_RINGS: Final = """
SELECT ring_id, patient_id, number, asked_at, state, why FROM telephone_ring
WHERE account_id = %s AND asked_at > %s ORDER BY asked_at DESC LIMIT 1
"""

# Script answers of the same person about the same case, from a little before the call to a little after it.
_SPOKEN: Final = """
SELECT t.telephone_call_id, t.direction, t.number, a.display_name AS person, t.started_at, t.answered_at, t.ended_at,
       t.joined_by, t.call_id, k.case_id, k.outcome, k.note, s.name AS system,
       r.recording_id, r.state, r.reference, r.sha256, r.hashed_by, r.told_at, r.keep_until,
       ARRAY(SELECT ARRAY[w.script, w.version::text, step ->> 'question', step ->> 'answer']
             FROM triage_walk w CROSS JOIN LATERAL jsonb_array_elements(w.path) step
             WHERE w.case_id = k.case_id AND step ->> 'by' = t.account_id::text
               AND (step ->> 'at')::timestamptz BETWEEN t.started_at - interval '2 minutes'
                                                AND t.ended_at + interval '2 minutes'
             ORDER BY step ->> 'at') AS steps
FROM telephone_call t JOIN telephone_system s USING (system_id) LEFT JOIN account a USING (account_id)
LEFT JOIN call k ON k.call_id = t.call_id LEFT JOIN call_recording r ON r.telephone_call_id = t.telephone_call_id
WHERE t.patient_id = %s ORDER BY t.started_at DESC, t.telephone_call_id LIMIT %s
"""

_CANDIDATES: Final = """
SELECT p.telephone_call_id, k.call_id, k.started_at, k.outcome
FROM telephone_pairs(%s) p JOIN call k USING (call_id) ORDER BY k.started_at
"""

_RECORDING: Final = """
SELECT r.recording_id, r.patient_id, r.state, r.reference, r.sha256, r.hashed_by, r.told_at, r.keep_until,
       s.name AS system
FROM call_recording r JOIN telephone_call t USING (telephone_call_id) JOIN telephone_system s USING (system_id)
WHERE r.recording_id = %s
"""

_AGREED: Final = """
SELECT c.decision, c.method, c.asked_at, a.display_name AS entered_by, c.entered_at
FROM recording_consent c JOIN account a ON a.account_id = c.entered_by
WHERE c.patient_id = %s ORDER BY c.decision_no DESC
"""

_DUE: Final = """
SELECT r.ring_id, r.extension, r.number, r.asked_at, r.state, r.remote_id, r.finished_at, k.started_at AS began_at,
       k.ended_at, k.outcome, s.system_id, s.name, s.kind, s.settings, s.sealed
FROM telephone_ring r JOIN telephone_system s USING (system_id) LEFT JOIN call k ON k.call_id = r.call_id
WHERE r.ring_id = %s
"""


# A telephone system tells us -----------------------------------------------------------------------------------------


async def system(conn: AsyncConn, system_id: UUID) -> System | None:
    """One that is in use."""
    async with conn.cursor(row_factory=class_row(System)) as cursor:
        await cursor.execute(f"{_SYSTEM} AND system_id = %s", (system_id,))
        return await cursor.fetchone()


async def hear(conn: AsyncConn, system_id: UUID, event: Event, now: datetime) -> str:
    """'new', 'known', 'replayed' or 'too_many', as in 0032_telephony.sql."""
    cursor = await conn.execute(
        _HEAR,
        {
            "system": system_id,
            "event_id": event.event_id,
            "signed_at": event.signed_at,
            "now": now,
            "most": EVENTS_A_MINUTE,
            "what": event.what,
            "remote_id": event.remote_id,
            "direction": event.direction,
            "number": event.number,
            "extension": event.extension,
            "ring_id": event.ring_id,
            "at": event.at,
            "place": event.place,
            "sha256": event.sha256,
            "hashed_by": event.hashed_by or "telephone system",
        },
    )
    said: str = one(await cursor.fetchone())[0]
    return said


# Somebody's telephone ------------------------------------------------------------------------------------------------


async def systems(conn: AsyncConn) -> list[tuple[UUID, str]]:
    """Those in use: id and name."""
    cursor = await conn.execute("SELECT system_id, name FROM telephone_system WHERE active ORDER BY name")
    return await cursor.fetchall()


async def telephone(conn: AsyncConn, account_id: UUID) -> Telephone | None:
    """The telephone on somebody's desk."""
    async with conn.cursor(row_factory=class_row(Telephone)) as cursor:
        await cursor.execute(
            "SELECT e.system_id, s.name AS system, e.extension FROM telephone_extension e"
            " JOIN telephone_system s USING (system_id) WHERE e.account_id = %s AND s.active",
            (account_id,),
        )
        return await cursor.fetchone()


async def set_telephone(conn: AsyncConn, account_id: UUID, system_id: UUID, extension: str, at: datetime) -> bool:
    """False: it is somebody else's, or there is no such system."""
    try:
        async with conn.transaction():
            cursor = await conn.execute(
                """INSERT INTO telephone_extension (account_id, system_id, extension, set_at)
                   SELECT %(who)s, s.system_id, %(extension)s, %(at)s FROM telephone_system s
                   WHERE s.system_id = %(system)s AND s.active
                   ON CONFLICT (account_id) DO UPDATE SET system_id = excluded.system_id,
                       extension = excluded.extension, set_at = excluded.set_at""",
                {"who": account_id, "system": system_id, "extension": extension, "at": at},
            )
    except UniqueViolation:
        return False
    return cursor.rowcount == 1


async def remove_telephone(conn: AsyncConn, account_id: UUID) -> bool:
    cursor = await conn.execute("DELETE FROM telephone_extension WHERE account_id = %s", (account_id,))
    return cursor.rowcount == 1


async def ringing(conn: AsyncConn, account_id: UUID, now: datetime) -> list[Caller]:
    """Calls of this person's telephone that are not over, the newest first."""
    async with conn.cursor(row_factory=class_row(Caller)) as cursor:
        await cursor.execute(
            f"{_CALLER} WHERE %s = ANY (t.rung) AND t.ended_at IS NULL AND t.started_at > %s"
            " AND (t.answered_at IS NULL OR t.account_id = %s) AND t.direction = 'in' ORDER BY t.started_at DESC",
            (account_id, now - LONGEST_CALL, account_id),
        )
        return await cursor.fetchall()


async def caller(conn: AsyncConn, telephone_call_id: UUID) -> Caller | None:
    """One call, for whomever row security shows it to."""
    async with conn.cursor(row_factory=class_row(Caller)) as cursor:
        await cursor.execute(f"{_CALLER} WHERE t.telephone_call_id = %s", (telephone_call_id,))
        return await cursor.fetchone()


# Ringing -------------------------------------------------------------------------------------------------------------


async def ask(
    conn: AsyncConn,
    patient_id: UUID,
    account_id: UUID,
    of: Telephone,
    contact_id: UUID | None,
    number: str,
    call_id: UUID | None,
    now: datetime,
) -> UUID | None:
    """Have a telephone ring. None: it is just being asked to; or nobody real has that number."""
    # One after the other: of two clicks the second sees what the first asked.
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('telephone_ring:' || %s, 0))", (str(account_id),))
    cursor = await conn.execute(
        """INSERT INTO telephone_ring (ring_id, patient_id, account_id, system_id, extension, contact_id, number,
                                       call_id, asked_at)
           SELECT gen_random_uuid(), p.patient_id, %(who)s, %(system)s, %(extension)s, %(contact)s, %(number)s,
                  %(call)s, %(now)s
           FROM patient p WHERE p.patient_id = %(patient)s AND NOT p.training AND NOT EXISTS (
               SELECT FROM telephone_ring r WHERE r.account_id = %(who)s AND r.asked_at > %(since)s
               AND r.state IN ('waiting', 'asking'))
           RETURNING ring_id""",
        {
            "who": account_id,
            "system": of.system_id,
            "extension": of.extension,
            "contact": contact_id,
            "number": number,
            "call": call_id,
            "now": now,
            "since": now - ASKED_WITHIN,
            "patient": patient_id,
        },
    )
    row = await cursor.fetchone()
    return row[0] if row else None


async def last_ring(conn: AsyncConn, account_id: UUID, since: datetime) -> Ring | None:
    """What this person's telephone was last asked."""
    async with conn.cursor(row_factory=class_row(Ring)) as cursor:
        await cursor.execute(_RINGS, (account_id, since))
        return await cursor.fetchone()


async def call_under_way(conn: AsyncConn, case_id: UUID, account_id: UUID) -> UUID | None:
    """This person's open entry of the call log."""
    cursor = await conn.execute(
        "SELECT call_id FROM call WHERE case_id = %s AND account_id = %s AND ended_at IS NULL", (case_id, account_id)
    )
    row = await cursor.fetchone()
    return row[0] if row else None


# A patient's calls ---------------------------------------------------------------------------------------------------


async def spoken(conn: AsyncConn, patient_id: UUID) -> list[tuple[Spoken, Sequence[tuple[str, int, str, str]]]]:
    """The newest SHOWN, the newest first, each with the steps of the script (script, version, question, answer)."""
    found: list[tuple[Spoken, Sequence[tuple[str, int, str, str]]]] = []
    candidates = await _candidates(conn, patient_id)
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SPOKEN, (patient_id, SHOWN))
        for row in await cursor.fetchall():
            steps = [(script, int(version), question, answer) for script, version, question, answer in row.pop("steps")]
            facts = {name: row.pop(name) for name in _OF_RECORDING}
            recording = Recording(patient_id=patient_id, **facts) if facts["recording_id"] else None
            call = row["telephone_call_id"]
            found.append((Spoken(**row, recording=recording, candidates=candidates.get(call, ())), steps))
    return found


_OF_RECORDING: Final = (
    "recording_id", "state", "reference", "sha256", "hashed_by", "told_at", "keep_until", "system",
)  # fmt: skip


async def _candidates(conn: AsyncConn, patient_id: UUID) -> dict[UUID, list[Candidate]]:
    found: dict[UUID, list[Candidate]] = {}
    cursor = await conn.execute(_CANDIDATES, (patient_id,))
    for telephone_call_id, call_id, started_at, outcome in await cursor.fetchall():
        candidate = Candidate(call_id=call_id, started_at=started_at, outcome=outcome)
        found.setdefault(telephone_call_id, []).append(candidate)
    return found


async def join(conn: AsyncConn, patient_id: UUID, telephone_call_id: UUID, call_id: UUID) -> bool:
    """A person says which entry of the call log it is. False: it is none of those that it may be."""
    cursor = await conn.execute(
        """UPDATE telephone_call t SET call_id = p.call_id, joined_by = 'person' FROM telephone_pairs(%s) p
           WHERE t.telephone_call_id = %s AND p.telephone_call_id = t.telephone_call_id AND p.call_id = %s""",
        (patient_id, telephone_call_id, call_id),
    )
    return cursor.rowcount == 1


async def join_new(conn: AsyncConn, telephone_call_id: UUID, patient_id: UUID, call_id: UUID, said_by: UUID) -> bool:
    """A call becomes that entry of the call log. False: it is one already, or of another patient."""
    cursor = await conn.execute(
        """UPDATE telephone_call SET patient_id = %(patient)s, call_id = %(call)s, joined_by = 'person',
               said_by = CASE WHEN patient_id IS NULL THEN %(who)s ELSE said_by END
           WHERE telephone_call_id = %(id)s AND call_id IS NULL AND coalesce(patient_id, %(patient)s) = %(patient)s""",
        {"patient": patient_id, "call": call_id, "who": said_by, "id": telephone_call_id},
    )
    return cursor.rowcount == 1


async def agreed(conn: AsyncConn, patient_id: UUID) -> list[Agreed]:
    """What the patient said about recording, the newest word first."""
    async with conn.cursor(row_factory=class_row(Agreed)) as cursor:
        await cursor.execute(_AGREED, (patient_id,))
        return await cursor.fetchall()


async def agree(
    conn: AsyncConn, patient_id: UUID, decision: str, method: str, asked_at: datetime, by: UUID, now: datetime
) -> None:
    await conn.execute(
        "INSERT INTO recording_consent (patient_id, decision, method, asked_at, entered_by, entered_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (patient_id, decision, method, asked_at, by, now),
    )


async def recording(conn: AsyncConn, recording_id: UUID) -> Recording | None:
    async with conn.cursor(row_factory=class_row(Recording)) as cursor:
        await cursor.execute(_RECORDING, (recording_id,))
        return await cursor.fetchone()


# The jobs ------------------------------------------------------------------------------------------------------------


def take(connection: Connection, ring_id: UUID, now: datetime) -> Due | None:
    """What is to be asked now, taken once and for all; None: it was taken, or is too late."""
    row = connection.execute(
        "UPDATE telephone_ring SET state = CASE WHEN asked_at > %s THEN 'asking' ELSE 'late' END,"
        " settled_at = CASE WHEN asked_at > %s THEN NULL ELSE %s::timestamptz END"
        " WHERE ring_id = %s AND state = 'waiting' RETURNING state",
        (now - ASKED_WITHIN, now - ASKED_WITHIN, now, ring_id),
    ).fetchone()
    return due(connection, ring_id) if row is not None and row[0] == Ringing.ASKING else None


def due(connection: Connection, ring_id: UUID) -> Due | None:
    """A ring with its system and its entry of the call log."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(_DUE, (ring_id,)).fetchone()
    if row is None:
        return None
    of = System(**{name: row.pop(name) for name in ("system_id", "name", "kind", "settings", "sealed")})
    return Due(system=of, **{**row, "state": Ringing(row["state"])})


def settle(
    connection: Connection, ring_id: UUID, state: Ringing, now: datetime, *, why: str | None, remote_id: str | None
) -> None:
    """How asking went."""
    connection.execute(
        "UPDATE telephone_ring SET state = %s, settled_at = %s, why = %s, remote_id = %s WHERE ring_id = %s",
        (state, now, why, remote_id, ring_id),
    )


def finished(connection: Connection, ring_id: UUID, now: datetime) -> None:
    """The system knows that it is over."""
    connection.execute("UPDATE telephone_ring SET finished_at = %s WHERE ring_id = %s", (now, ring_id))


def to_attach(connection: Connection, ring_id: UUID) -> tuple[UUID, str] | None:
    """A recording that is kept by address, of the call that was rung for, and that nobody has yet."""
    return connection.execute(
        "SELECT r.recording_id, r.reference FROM call_recording r JOIN telephone_call t USING (telephone_call_id)"
        " WHERE t.ring_id = %s AND r.state = 'kept' AND r.attached_at IS NULL AND r.reference LIKE 'https://%%'",
        (ring_id,),
    ).fetchone()


def attached(connection: Connection, recording_id: UUID, now: datetime) -> None:
    connection.execute("UPDATE call_recording SET attached_at = %s WHERE recording_id = %s", (now, recording_id))


def sealed_of(connection: Connection, system_id: UUID) -> bytes | None:
    """What is sealed for it; nobody changes that before the end of this transaction."""
    found = connection.execute("SELECT sealed FROM telephone_system WHERE system_id = %s FOR UPDATE", (system_id,))
    kept: bytes | None = one(found.fetchone())[0]
    return kept


def reseal(connection: Connection, system_id: UUID, sealed: bytes | None) -> None:
    """A secret was exchanged for the next."""
    connection.execute("UPDATE telephone_system SET sealed = %s WHERE system_id = %s", (sealed, system_id))


def end_recordings(connection: Connection, now: datetime) -> int:
    """Forget where recordings are whose time is over; how many."""
    return int(one(connection.execute("SELECT end_recordings(%s)", (now,)).fetchone())[0])
