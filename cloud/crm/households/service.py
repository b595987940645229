"""Households: who lives together, whom one may talk to about what; each change with its audit row.

Being of one household opens nothing: whoever cares for one member sees the others only where they care for them, too.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import zone_of
from cloud.contacts import service as contacts
from cloud.contacts.models import Patient
from cloud.crm.households import entries, store
from cloud.crm.households.models import Consent, Household, Housemate, Suggested, Talking
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await contacts.patient(conn, session, patient_id)


async def household(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Household:
    """What is shown of it; the caller has checked who asks."""
    mates = await housemates(conn, session, patient_id, now)
    # A household of which one sees nobody else is not shown: it would tell that there is somebody.
    found = await store.own(conn, patient_id) if mates else None
    persons = (await contacts.surroundings(conn, patient_id)).contacts
    said = await store.consents(conn, [patient_id])
    return Household(
        member_id=found[1] if found else None,
        relation=found[2] if found else "",
        housemates=mates,
        talking=[Talking(person=person, consent=said.get(person.contact_id)) for person in persons],
    )


async def housemates(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> list[Housemate]:
    """The others of the household who are in the account's care."""
    return await store.housemates(conn, session.account_id, patient_id, now)


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody looked at who lives with whom."""
    await audit.record_by(conn, session, now, "household.read", f"patient:{of.patient_id}", of.patient_id)


async def suggested(conn: Connection, session: Session, of: Patient, now: datetime) -> list[Suggested]:
    """Who may live there, too: they share a device or a number with the patient."""
    return await store.suggested(conn, session.account_id, of.patient_id, now)


async def search(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> list[Suggested]:
    """Of one's own patients, by a part of the name. Refused."""
    return await store.named(conn, session.account_id, of.patient_id, entries.search(form), now)


async def history(conn: Connection, patient_id: UUID) -> list[Consent]:
    """All that was ever said about contact persons; the caller has checked who asks."""
    return await store.consent_history(conn, patient_id)


async def add(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """These two live together. Refused where the other is somebody else's, or lives in another household."""
    other_id, relation, own_relation = entries.member(form)
    other = await contacts.patient(conn, session, other_id)
    if other is None or other_id == of.patient_id:
        raise Refused("member", {"patient_id": Refusal("choose")}, form)
    await store.lock(conn, [of.patient_id, other_id])
    mine = await _own(conn, session, of.patient_id, now)
    theirs = await _own(conn, session, other_id, now)
    if mine is not None and theirs is not None:
        raise Refused("member", {"patient_id": Refusal("other_household")}, form)
    household_id = (mine or theirs or (await store.begin(conn),))[0]
    for patient_id, known, said in ((of.patient_id, mine, own_relation), (other_id, theirs, relation)):
        if known is None:
            member_id = await store.join(conn, household_id, patient_id, said, session.account_id, now)
            await audit.record_by(conn, session, now, "household.join", f"household_member:{member_id}", patient_id)


async def leave(conn: Connection, session: Session, of: Patient, member_id: UUID, now: datetime) -> bool:
    """The member lives there no more: the patient of the page, or one of those who are shown there. False: no such."""
    shown = await household(conn, session, of.patient_id, now)
    if member_id not in {shown.member_id, *(mate.member_id for mate in shown.housemates)}:
        return False
    patient_id = await store.leave(conn, member_id, session.account_id, now)
    if patient_id is None:
        return False
    await audit.record_by(conn, session, now, "household.leave", f"household_member:{member_id}", patient_id)
    return True


async def consent(conn: Connection, session: Session, of: Patient, contact_id: UUID, form: Form, now: datetime) -> bool:
    """What the patient said about talking to this person. Refused; False: there is no such contact person."""
    entry = entries.consent(form, now.astimezone(zone_of(of.time_zone)).date())
    number = await store.add_consent(conn, of.patient_id, contact_id, entry, session.account_id, now)
    if number is None:
        return False
    await audit.record_by(
        conn, session, now, "contact_consent.write", f"contact_consent:{number}", of.patient_id,
        {"contact_person": str(contact_id), "topics": [topic.value for topic in entry.topics]},
    )  # fmt: skip
    return True


async def _own(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> tuple[UUID, UUID, str] | None:
    """The household that the patient shares with somebody; one that all others have left is left, too."""
    found = await store.own(conn, patient_id)
    if found is None or not await store.is_last(conn, patient_id):
        return found
    await store.leave(conn, found[1], session.account_id, now)
    await audit.record_by(conn, session, now, "household.leave", f"household_member:{found[1]}", patient_id)
    return None
