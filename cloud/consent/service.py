"""Deciding, and taking it back: from then on nobody watches, in the same transaction.

What was received until then stays as the law of records asks, is no longer judged, and leaves the care team's sight
with the closing of the record (``cloud.admission``). DECISIONS has the reasons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.consent import documents, store
from cloud.consent.models import Decided, Decision, Entry, Method, Outdated, Text
from cloud.consent.store import Connection
from cloud.participation import service as participation
from cloud.participation.models import EndReason, Participation, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnConsent:
    """A patient's consent, as they and their care team read it. ``newest`` None: nothing was ever decided here."""

    text: Text
    newest: Decided | None
    takes_part: Participation | None

    @property
    def holds(self) -> bool:
        """Agreed, to whichever version."""
        return self.newest is not None and self.newest.decision == Decision.GIVEN

    @property
    def has_ended(self) -> bool:
        return self.takes_part is not None and self.takes_part.stage in (Stage.ENDED, Stage.CLOSED)

    @property
    def is_watched(self) -> bool:
        """Whether their readings count now, whatever they said of a text: only taking the consent back ends that."""
        return self.takes_part is None or self.takes_part.stage is Stage.ACTIVE

    @property
    def is_asked(self) -> bool:
        """Whether there is something to decide: the newest text, while nothing has ended."""
        return not self.has_ended and (not self.holds or self.has_newer_text)

    @property
    def has_newer_text(self) -> bool:
        """Agreed to an older text than the one in use, which is asked for. What holds goes on holding meanwhile."""
        return not self.has_ended and self.newest is not None and self.newest.is_older_than(self.text)


async def own(conn: Connection, patient_id: UUID, language: str | None) -> OwnConsent:
    """One patient's consent, with the text in use in this language; the caller has checked who asks."""
    return OwnConsent(
        text=documents.newest(language),
        newest=next(iter(await store.decided(conn, [patient_id])), None),
        takes_part=await participation.of_patient(conn, patient_id),
    )


async def outdated(conn: Connection, session: Session) -> Sequence[Outdated]:
    """Of this person's patients, by name, whoever agreed to an older text than the one in use."""
    text = documents.newest(session.language)
    return await store.outdated(conn, session.account_id, text.text_id, text.version)


async def history(conn: Connection, patient_id: UUID) -> Sequence[Decided]:
    """All decisions, the newest first; the caller has checked who asks."""
    return await store.decided(conn, [patient_id])


async def decide(
    conn: Connection, session: Session, patient_id: UUID, decision: Decision, version: int, now: datetime
) -> bool:
    """The patient agrees, or does not, on their own screen, in the language that they read it in.

    False: it was not this version that is asked for, or it has ended. Nor does somebody who is watched disagree and
    stay watched, without anybody being told: they take their consent back (``withdraw``).
    """
    found = await own(conn, patient_id, session.language)
    if decision is Decision.REFUSED and found.is_watched:
        return False
    if decision is Decision.WITHDRAWN or not found.is_asked or found.text.version != version:
        return False
    await enter(conn, session, patient_id, Entry(text=found.text, decision=decision, method=Method.SCREEN), now)
    return True


async def enter(conn: Connection, session: Session, patient_id: UUID, entry: Entry, now: datetime) -> None:
    """Write down what was decided; the caller has checked who enters it for whom."""
    consent_id = await store.add(conn, patient_id, entry, session.account_id, now)
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action=f"consent.{entry.decision.value}",
        subject=f"consent:{consent_id}",
        patient_id=patient_id,
        detail={"text": entry.text.text_id, "version": entry.text.version, "method": entry.method.value},
    )


async def withdraw(conn: Connection, session: Session, patient_id: UUID, note: str, now: datetime) -> bool:
    """Nobody watches any longer, from this transaction on: said by the patient, or by the care team for them.

    False: it has ended already.
    """
    if not await participation.end(conn, session, patient_id, EndReason.CONSENT_WITHDRAWN, note, now):
        return False
    is_own = session.patient_id == patient_id
    text = documents.newest(session.language if is_own else await store.language_of(conn, patient_id))
    newest = next(iter(await store.decided(conn, [patient_id])), None)
    if newest is not None and newest.decision == Decision.GIVEN:
        text = documents.one(newest.text_id, newest.version, newest.language) or text
    method = Method.SCREEN if is_own else Method.PAPER
    await enter(conn, session, patient_id, Entry(text=text, decision=Decision.WITHDRAWN, method=method, note=note), now)
    return True
