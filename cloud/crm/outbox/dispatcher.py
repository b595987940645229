"""Delivering: claim and commit, ask the CRM with nothing held, write down what came of it.

Whoever dies in between leaves a lease that ends; the next one has the same keys and is told that it may be done.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

import psycopg
from psycopg_pool import PoolTimeout

from cloud.crm.outbox import store
from cloud.crm.outbox.course import Dead, after_failure, failed
from cloud.crm.outbox.models import Destination, Known, Letter
from cloud.crm.outbox.work import SOURCE, Around, Step, contact_step, number_of, own_step
from cloud.crm.port import Ambiguous, Connector, CrmError, Event, Refused, RemoteKind, Try, Verb
from cloud.db.connect import Connection
from cloud.faults import placed

log = logging.getLogger(__name__)

# A connection in a transaction that commits at the end of the block, or is rolled back.
Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]
# NotUsable, NotOpened are told as Shut: a person has to do something.
Make: TypeAlias = Callable[[Destination], Connector]
AT_A_TURN: Final = 500
AWAY: Final = (psycopg.OperationalError, PoolTimeout)


class Dispatcher:
    """Delivers, in as many processes and threads as there are."""

    def __init__(self, connect: Connect, make: Make, base_url: str, now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._make = make
        self._base_url = base_url
        self._now = now

    def turn(self, destination: Destination, at_most: int = AT_A_TURN) -> int:
        """Deliver what may leave now; how many tries that were. psycopg.OperationalError, PoolTimeout."""
        for tried in range(at_most):
            with self._connect() as connection:
                letter = store.claim(connection, destination.destination_id, self._now())
            if letter is None:
                return tried
            self._deliver(destination, letter)
        return at_most

    def _deliver(self, destination: Destination, letter: Letter) -> None:
        try:
            asked = self._do(destination, letter)
        except CrmError as error:
            self._failed(destination, letter, error)
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever one event does to a connector, the others go on
            log.error("event %s cannot be told to %s (%s)", letter.event_id, destination.name, placed(error))
            # Whether it had left by then, nobody knows.
            self._failed(destination, letter, Ambiguous(f"a defect of ours ({type(error).__name__})"))
        else:
            with self._connect() as connection:
                store.done(connection, letter, self._now(), asked=asked)

    def _do(self, destination: Destination, letter: Letter) -> bool:
        """Whether there was anything to ask of them. CrmError."""
        around = Around(base_url=self._base_url, settings=destination.settings)
        with self._connect() as connection:
            known = store.known(connection, letter)
        if known.is_past:
            return False
        crm = self._make(destination)
        asks = known.contact is None or contact_step(letter, known, around) is not None
        known = self._with_contact(crm, letter, known, around)
        try:
            return self._do_own(crm, letter, known, around) or asks
        except Refused:
            # Somebody may have deleted the contact, or merged it with another: it is looked for again, or made anew.
            again = self._with_contact(crm, letter, Known(), around)
            if again.contact == known.contact:
                raise
            return self._do_own(crm, letter, replace(known, contact=again.contact, is_theirs=again.is_theirs), around)

    def _do_own(self, crm: Connector, letter: Letter, known: Known, around: Around) -> bool:
        """Whether it was asked."""
        step = own_step(letter, known, around)
        # A note or a call that is there already; a todo that never was.
        if step is None or known.is_there or (step.completes and known.todo is None):
            return False
        self._take(crm, letter, step, known.todo if step.kind is RemoteKind.TODO else None)
        return True

    def _with_contact(self, crm: Connector, letter: Letter, known: Known, around: Around) -> Known:
        """The contact is there: one that was before us, or one that is made, or changed."""
        if (theirs := self._theirs(crm, letter, known)) is not None:
            return replace(known, contact=theirs, is_theirs=True)
        if (step := contact_step(letter, known, around)) is None:
            return known
        return replace(known, contact=self._take(crm, letter, step, known.contact))

    def _theirs(self, crm: Connector, letter: Letter, known: Known) -> str | None:
        """Their contact with the patient's number and name, where there is one alone; remembered."""
        number = number_of(letter, known)
        if number is None:
            return None
        try:
            found = crm.find_contact_by_phone(number, self._try(letter, Verb.FIND_CONTACT_BY_PHONE))
        except Refused as error:  # they do not let themselves be asked this: what is to be told is told all the same
            log.info("nobody is looked for at %s (%s)", letter.destination_id, error.what)
            return None
        if any(each.reference == str(letter.subject) for each in found):
            return None  # we made it ourselves, and find it by that
        now = self._now()
        with self._connect() as connection:
            of_patient = [
                each.remote_id
                for each in found
                if each.reference is None and store.is_of_patient(connection, letter, each.remote_id, each.name or "")
            ]
            if len(of_patient) != 1:
                return None
            store.remember(
                connection, letter, RemoteKind.CONTACT, letter.subject, letter.patient_id, of_patient[0],
                completed_at=None, now=now, theirs=True,
            )  # fmt: skip
        return of_patient[0]

    def _take(self, crm: Connector, letter: Letter, step: Step, known: str | None) -> str:
        """Ask, and write down what it is called over there before anything else is asked."""
        remote = step.do(crm, self._try(letter, step.verb))
        # What is completed keeps the id by which it is known; what is changed may have been made anew.
        remote_id = known if step.completes and known else remote.remote_id or known or ""
        now = self._now()
        with self._connect() as connection:
            store.remember(
                connection,
                letter,
                step.kind,
                step.reference,
                step.thing_id,
                remote_id,
                completed_at=now if step.completes else None,
                now=now,
            )
        return remote_id

    def _try(self, letter: Letter, verb: Verb) -> Try:
        event = Event(
            event_id=str(letter.event_id), type=letter.type, source=SOURCE, subject=str(letter.subject), at=letter.at
        )
        return Try(
            key=letter.key(verb),
            number=letter.attempts,
            at=self._now(),
            unclear_since=letter.unclear_since,
            event=event,
        )

    def _failed(self, destination: Destination, letter: Letter, error: CrmError) -> None:
        now = self._now()
        with self._connect() as connection:
            health = store.health(connection, destination.destination_id)
            after = failed(health, letter, error, now)
            if isinstance(error, Refused):
                store.answers(connection, destination.destination_id)
            else:
                store.set_health(connection, destination.destination_id, after)
            next_ = after_failure(letter, error, after, destination.max_age, now)
            if isinstance(next_, Dead):
                store.bury(connection, letter, next_.what, now)
            else:
                store.again(connection, letter, next_.at, next_.what, unclear_at=now if next_.unclear else None)
        if isinstance(next_, Dead):
            log.warning("event %s was not taken by %s: %s", letter.event_id, destination.name, next_.what)
        if after.down_since is not None and health.down_since is None:
            log.warning("%s is down: %s", destination.name, error.what)
