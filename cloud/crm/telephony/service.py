"""What people do with telephones: have one ring, see who calls, join what belongs together, open a recording."""

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.calls import store as calls
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient, Surroundings
from cloud.crm.connectors.given import Given, NotUsable
from cloud.crm.outbox.sealing import NotOpened, secrets_of
from cloud.crm.port import NotGenuine
from cloud.crm.telephony import store
from cloud.crm.telephony.models import Agreed, Caller, Recording, Ring, Ringing, Spoken, System, Telephone
from cloud.crm.telephony.systems import ears
from cloud.crm_config import CrmSettings
from cloud.plans.fields import Form, Refusal, Refused
from cloud.triage.scripts import all_scripts
from cloud.worklist import store as worklist

Connection = AsyncConnection[Any]

PATIENT: Final = "patient"
# How long a page says how it went with a telephone that somebody asked to ring.
SHOWN_FOR: Final = timedelta(minutes=2)
DECISIONS: Final = ("given", "refused", "withdrawn")
METHODS: Final = ("told", "paper")


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands above each page of somebody with a telephone: who calls, and what became of what it was asked."""

    telephone: Telephone
    callers: Sequence[Caller]
    ring: Ring | None
    stands: Ringing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A patient's calls, and what they said about recording."""

    spoken: Sequence[Spoken]
    agreed: Sequence[Agreed]

    @property
    def may_record(self) -> bool:
        """Whether the newest word is that calls may be recorded."""
        return bool(self.agreed) and self.agreed[0].decision == "given"


# A telephone system tells us -----------------------------------------------------------------------------------------


async def hear(
    conn: Connection,
    settings: CrmSettings,
    tls: ssl.SSLContext,
    system_id: UUID,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> str | None:
    """What came of one request, as ``store.hear`` says; None: nobody listens. NotGenuine, also where it is replayed."""
    system = await store.system(conn, system_id)
    if system is None:
        return None
    try:
        listens = ears(system.kind, _given(system, settings, tls, now))
    except (NotUsable, NotOpened):
        return None
    if listens is None:
        return None
    event = listens.heard(headers, body, now)
    if event is None:
        return "nothing"
    said = await store.hear(conn, system_id, event, now)
    if said == "replayed":
        raise NotGenuine("replayed")
    return said


def _given(system: System, settings: CrmSettings, tls: ssl.SSLContext, now: datetime) -> Given:
    """For listening alone: nothing is exchanged. NotOpened."""
    secrets = secrets_of(settings.key, system.system_id, system.sealed)
    return Given(settings=system.settings, secrets=secrets, tls=tls, now=lambda: now)


# Somebody's telephone ------------------------------------------------------------------------------------------------


async def set_telephone(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """The extension on one's own desk. Refused."""
    extension = form.get("extension", "").strip()
    systems = {str(system_id): system_id for system_id, _ in await store.systems(conn)}
    system_id = systems.get(form.get("system", ""))
    if system_id is None:
        raise Refused("telephone", {"system": Refusal("choose")}, form)
    if not (0 < len(extension) <= 20 and all(sign in "0123456789*#" for sign in extension)):
        raise Refused("telephone", {"extension": Refusal("not_an_extension")}, form)
    if not await store.set_telephone(conn, session.account_id, system_id, extension, now):
        raise Refused("telephone", {"extension": Refusal("extension_taken")}, form)
    await audit.record_by(conn, session, now, "telephone.set", f"telephone_system:{system_id}")


async def remove_telephone(conn: Connection, session: Session, now: datetime) -> None:
    if await store.remove_telephone(conn, session.account_id):
        await audit.record_by(conn, session, now, "telephone.remove", f"account:{session.account_id}")


async def at_hand(conn: Connection, session: Session, now: datetime) -> Now | None:
    """None: this person has no telephone here."""
    telephone = await store.telephone(conn, session.account_id)
    if telephone is None:
        return None
    ring = await store.last_ring(conn, session.account_id, now - SHOWN_FOR)
    return Now(
        telephone=telephone,
        callers=await store.ringing(conn, session.account_id, now),
        ring=ring,
        stands=ring.stands(now) if ring else None,
    )


async def ring(
    conn: Connection, session: Session, patient_id: UUID, to: str, case_id: UUID | None, now: datetime
) -> bool | None:
    """Have one's own telephone ring, and then this number of the card. None: no such patient for this person.

    ``to``: ``patient`` or a contact person's id, a colon, and one of their numbers. In a case the call log begins.
    False: there is no telephone, or no such number.
    """
    if await contacts.patient(conn, session, patient_id) is None:
        return None
    telephone = await store.telephone(conn, session.account_id)
    found = _callee(await contacts.surroundings(conn, patient_id), to)
    if telephone is None or found is None:
        return False
    contact_id, number = found
    call_id = None
    if case_id is not None:
        case = await worklist.locked_case(conn, session.account_id, case_id)
        if case is None or case.patient_id != patient_id:
            return None
        if case.is_open:
            call_id = await _begun(conn, session, patient_id, case_id, contact_id, number, now)
    ring_id = await store.ask(conn, patient_id, session.account_id, telephone, contact_id, number, call_id, now)
    if ring_id is not None:  # else it is being asked already: two clicks
        await audit.record_by(conn, session, now, "telephone.ring", f"telephone_ring:{ring_id}", patient_id)
    return True


async def _begun(
    conn: Connection,
    session: Session,
    patient_id: UUID,
    case_id: UUID,
    contact_id: UUID | None,
    number: str,
    now: datetime,
) -> UUID | None:
    """The entry of the call log that begins with this, or that is under way."""
    call_id = await calls.begin(
        conn,
        patient_id=patient_id,
        case_id=case_id,
        account_id=session.account_id,
        contact_id=contact_id,
        number=number,
        at=now,
    )
    if call_id is None:
        return await store.call_under_way(conn, case_id, session.account_id)
    await audit.record_by(conn, session, now, "call.begin", f"call:{call_id}", patient_id)
    return call_id


def _callee(around: Surroundings, to: str) -> tuple[UUID | None, str] | None:
    """The contact person (None: the patient) and the number; None where the card has no such number."""
    who, _, number = to.partition(":")
    if who == PATIENT:
        return (None, number) if around.card and number in around.card.phones else None
    for person in around.contacts:
        if str(person.contact_id) == who and number in person.phones:
            return person.contact_id, number
    return None


def _whose(around: Surroundings, number: str | None) -> UUID | None:
    """The contact person whose number it is; None where it is the patient's own, or nobody's."""
    if number is None or (around.card and number in around.card.phones):
        return None
    return next((person.contact_id for person in around.contacts if number in person.phones), None)


async def caller(conn: Connection, telephone_call_id: UUID) -> Caller | None:
    """A call of this person's telephone, or of a patient in their care."""
    return await store.caller(conn, telephone_call_id)


async def log(conn: Connection, session: Session, telephone_call_id: UUID, case_id: UUID, now: datetime) -> UUID | None:
    """Write a call into the log of a case, which says whose call it was; the case. None: that cannot be."""
    heard = await store.caller(conn, telephone_call_id)
    case = await worklist.locked_case(conn, session.account_id, case_id)
    if heard is None or heard.call_id is not None or case is None or not case.is_open:
        return None
    if heard.patient_id not in (None, case.patient_id):
        return None
    call_id = await calls.begin(
        conn,
        patient_id=case.patient_id,
        case_id=case_id,
        account_id=session.account_id,
        contact_id=_whose(await contacts.surroundings(conn, case.patient_id), heard.number),
        number=heard.number,
        at=heard.answered_at or heard.started_at,
        direction=heard.direction,
    )
    if call_id is None or not await store.join_new(
        conn, telephone_call_id, case.patient_id, call_id, session.account_id
    ):
        return None
    await audit.record_by(conn, session, now, "call.begin", f"call:{call_id}", case.patient_id)
    return case_id


# A patient's calls ---------------------------------------------------------------------------------------------------


async def of_patient(conn: Connection, patient_id: UUID) -> Log:
    """The caller has checked who asks."""
    scripts = {(script.script_id, script.version): script for script in all_scripts()}
    found = []
    for spoken, steps in await store.spoken(conn, patient_id):
        answers = []
        for script_id, version, question_id, answer_id in steps:
            script = scripts.get((script_id, version))
            question = script.questions.get(question_id) if script else None
            texts = {one.answer_id: one.text for one in question.answers} if question else {}
            answers.append((question.text if question else question_id, texts.get(answer_id, answer_id)))
        found.append(replace(spoken, answers=tuple(answers)))
    return Log(spoken=found, agreed=await store.agreed(conn, patient_id))


async def join(
    conn: Connection, session: Session, patient_id: UUID, telephone_call_id: UUID, call_id: UUID, now: datetime
) -> bool:
    """A person says which entry of the call log a call is. False: not one that it may be."""
    if not await store.join(conn, patient_id, telephone_call_id, call_id):
        return False
    await audit.record_by(
        conn, session, now, "telephone.join", f"telephone_call:{telephone_call_id}", patient_id, {"call": str(call_id)}
    )
    return True


async def agree(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """What the patient said when somebody asked whether calls may be recorded. Refused."""
    refusals: dict[str, Refusal] = {}
    decision, method = form.get("decision", ""), form.get("method", "")
    if decision not in DECISIONS:
        refusals["decision"] = Refusal("choose")
    if method not in METHODS:
        refusals["method"] = Refusal("choose")
    asked_at = _moment(form.get("asked_at", ""), of, now)
    if asked_at is None:
        refusals["asked_at"] = Refusal("not_a_moment")
    if refusals or asked_at is None:
        raise Refused("recording", refusals, form)
    await store.agree(conn, of.patient_id, decision, method, asked_at, session.account_id, now)
    await audit.record_by(
        conn, session, now, f"recording.{decision}", f"patient:{of.patient_id}", of.patient_id, {"method": method}
    )


def _moment(text: str, of: Patient, now: datetime) -> datetime | None:
    """On the patient's clock, as a browser's field gives it; empty: now. None: it is none, or it is to come."""
    if not text.strip():
        return now
    try:
        at = datetime.fromisoformat(text.strip())
        at = (at if at.tzinfo else at.replace(tzinfo=zone_of(of.time_zone))).astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one at the end of time
        return None
    return at if datetime(2000, 1, 1, tzinfo=UTC) <= at <= now else None


async def open_recording(conn: Connection, session: Session, recording_id: UUID, now: datetime) -> Recording | None:
    """Where it is, and that this person asked. None: no such recording for them."""
    found = await store.recording(conn, recording_id)
    if found is not None:
        await audit.record_by(
            conn, session, now, "recording.open", f"call_recording:{recording_id}", found.patient_id,
            {"state": found.state},
        )  # fmt: skip
    return found
