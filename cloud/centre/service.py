"""Calls and scripts of a case, unknown callers, and handing over a shift. Every act locks the case first.

None: no such case for this account. False: it cannot be done as the case stands, or the form says nothing that can be.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.calls import store as calls
from cloud.calls.models import Outcome
from cloud.centre.models import Match, Shift
from cloud.contacts import service as contacts
from cloud.contacts import store as contact_store
from cloud.contacts.models import Surroundings
from cloud.contacts.numbers import candidates, region_of
from cloud.crm.households import service as households
from cloud.crm.telephony.models import Caller
from cloud.patients import service as patients
from cloud.patients import store as patient_store
from cloud.patients.models import Patient
from cloud.triage import service as triage
from cloud.triage import store as triage_store
from cloud.triage.models import Triage
from cloud.worklist import service as acts
from cloud.worklist import store as worklist
from cloud.worklist.models import Case, Colleague, Show

Connection = AsyncConnection[Any]

PATIENT: Final = "patient"
LONGEST_NOTE: Final = 1000


async def begin_call(conn: Connection, session: Session, case_id: UUID, to: str, now: datetime) -> bool | None:
    """``to``: ``patient`` or a contact person's id, a colon, and one of their numbers, or none for another number."""
    case = await worklist.locked_case(conn, session.account_id, case_id)
    if case is None:
        return None
    known, contact_id, number = _callee(await contacts.surroundings(conn, case.patient_id), to)
    if not known or not case.is_open:
        return False
    call_id = await calls.begin(
        conn,
        patient_id=case.patient_id,
        case_id=case_id,
        account_id=session.account_id,
        contact_id=contact_id,
        number=number,
        at=now,
    )
    if call_id is not None:  # else they are on the telephone already: two clicks
        await audit.record_by(conn, session, now, "call.begin", f"call:{call_id}", case.patient_id)
    return True


async def end_call(
    conn: Connection, session: Session, case_id: UUID, call_id: UUID, outcome: str, note: str, now: datetime
) -> bool | None:
    """What came of it. Where the patient was reached, the case's own clock for that stops."""
    case = await worklist.locked_case(conn, session.account_id, case_id)
    if case is None:
        return None
    if outcome not in set(Outcome):
        return False
    note = note.strip()[:LONGEST_NOTE]
    ended = await calls.end(conn, case_id, call_id, session.account_id, Outcome(outcome), note, now)
    if ended is None:
        return False
    await audit.record_by(conn, session, now, "call.end", f"call:{call_id}", case.patient_id, {"outcome": outcome})
    if outcome == Outcome.REACHED and ended == (None,):
        # Where somebody else has the case, this person may not change it: the call itself is written down.
        await acts.contact(conn, session, case_id, now)
    return True


async def answer(
    conn: Connection, session: Session, case_id: UUID, question: str, answer_id: str, now: datetime
) -> bool | None:
    """The next step through the script; the same step twice is one."""
    case, standing = await _standing(conn, session, case_id)
    if case is None:
        return None
    if standing is None or not case.is_open:
        return False
    if standing.question is None or standing.question.question_id != question:
        return True  # somebody was faster: the page shows where it stands
    to = standing.question.leads_to(answer_id)
    if to is None:
        return False
    script = standing.script
    if standing.walk is None:
        await _begin(conn, session, case, now)
        _, standing = await _standing(conn, session, case_id)
    if standing is None or standing.walk is None:
        return False
    step = {"question": question, "answer": answer_id, "at": now.isoformat(), "by": str(session.account_id)}
    end_state = to if to in script.ends else None
    await triage_store.go_on(conn, standing.walk.walk_id, [*standing.walk.path, step], end_state, now)
    detail = {"script": script.script_id, "version": script.version, "question": question, "answer": answer_id}
    await audit.record_by(
        conn, session, now, "triage.answer", f"triage_walk:{standing.walk.walk_id}", case.patient_id, detail
    )
    return True


async def begin_again(conn: Connection, session: Session, case_id: UUID, now: datetime) -> bool | None:
    """From the first question; what was answered before stays stored."""
    case, standing = await _standing(conn, session, case_id)
    if case is None:
        return None
    if standing is None or not case.is_open:
        return False
    if standing.walk is not None and standing.walk.path:
        await _begin(conn, session, case, now)
    return True


async def callers(conn: Connection, session: Session, typed: str, now: datetime) -> list[Match] | None:
    """Whose number it is, of this person's patients; None: it is no number. The number itself is written nowhere."""
    regions = {region_of(zone) for zone in await contact_store.zones(conn, session.account_id)}
    numbers = candidates(typed, sorted(regions, key=str) or [None])
    return await _matches(conn, session, numbers, now) if numbers else None


async def who_is(conn: Connection, session: Session, heard: Caller, now: datetime) -> list[Match]:
    """The same of a call that a telephone system told of; a number that was withheld is nobody's.

    Somebody who was rung for is among them, whatever number they have by now.
    """
    matches = await _matches(conn, session, [heard.number], now) if heard.number else []
    if heard.patient_id is None or any(match.patient.patient_id == heard.patient_id for match in matches):
        return matches
    patient = await patient_store.patient(conn, session.account_id, heard.patient_id)
    return [await _match(conn, session, patient, [], now), *matches] if patient else matches


async def _matches(conn: Connection, session: Session, numbers: Sequence[str], now: datetime) -> list[Match]:
    found: dict[UUID, list[tuple[str | None, str | None]]] = {}
    for patient_id, name, relation in await contact_store.of_numbers(conn, session.account_id, numbers):
        found.setdefault(patient_id, []).append((name, relation))
    matches = []
    for patient_id, whose in found.items():
        if (patient := await patient_store.patient(conn, session.account_id, patient_id)) is not None:
            matches.append(await _match(conn, session, patient, whose, now))
    return matches


async def shift(conn: Connection, session: Session, now: datetime) -> Shift:
    """What this person has, and what is offered to them."""
    cases = [
        case
        for show in (Show.OPEN, Show.RETROSPECT)
        for case in await worklist.cases(conn, session.account_id, show, now)
        if case.is_owned
    ]
    mine = [case for case in cases if case.owner == session.account_id]
    known: dict[UUID, Colleague] = {}
    able: Counter[UUID] = Counter()
    for patient_id, many in Counter(case.patient_id for case in mine).items():
        for colleague in await worklist.colleagues(conn, session.account_id, patient_id):
            known[colleague.account_id] = colleague
            able[colleague.account_id] += many
    return Shift(
        mine=mine,
        offered=[case for case in cases if case.offered_to == session.account_id],
        colleagues=[(known[account_id], many) for account_id, many in able.most_common()],
    )


async def offer_all(conn: Connection, session: Session, to: UUID | None, now: datetime) -> bool:
    """Offer every open case to this colleague; what they may not see stays. False: there is no such colleague."""
    standing = await shift(conn, session, now)
    if to not in {colleague.account_id for colleague, _ in standing.colleagues}:
        return False
    for case in standing.mine:
        await acts.hand_over(conn, session, case.case_id, to, now)
    return True


async def accept(conn: Connection, session: Session, case_id: UUID | None, now: datetime) -> None:
    """Take one case that is offered to this person, or all of them."""
    for case in (await shift(conn, session, now)).offered:
        if case_id in (None, case.case_id):
            await acts.acknowledge(conn, session, case.case_id, now)


async def _standing(conn: Connection, session: Session, case_id: UUID) -> tuple[Case | None, Triage | None]:
    case = await worklist.locked_case(conn, session.account_id, case_id)
    return case, None if case is None else await triage.triage(conn, case_id, case.condition)


async def _begin(conn: Connection, session: Session, case: Case, now: datetime) -> None:
    standing = await triage.triage(conn, case.case_id, case.condition)
    if standing is None:
        return
    await triage_store.begin(
        conn,
        case_id=case.case_id,
        patient_id=case.patient_id,
        script=standing.script.script_id,
        version=standing.script.version,
        account_id=session.account_id,
        at=now,
    )


def _callee(around: Surroundings, to: str) -> tuple[bool, UUID | None, str | None]:
    """Whether it is known, whose number, and which."""
    who, _, number = to.partition(":")
    if who == PATIENT:
        phones = around.card.phones if around.card else ()
        return not number or number in phones, None, number or None
    for person in around.contacts:
        if str(person.contact_id) == who:
            return not number or number in person.phones, person.contact_id, number or None
    return False, None, None


async def _match(
    conn: Connection,
    session: Session,
    patient: Patient,
    whose: list[tuple[str | None, str | None]],
    now: datetime,
) -> Match:
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="caller.found",
        subject=f"patient:{patient.patient_id}",
        patient_id=patient.patient_id,
    )
    return Match(
        patient=patient,
        is_own=any(name is None for name, _ in whose),
        persons=[(name, relation or "") for name, relation in whose if name is not None],
        readings=await patients.last_readings(conn, patient.patient_id, now),
        cases=await worklist.open_cases_of(conn, session.account_id, patient.patient_id),
        household=await households.household(conn, session, patient.patient_id, now),
    )
