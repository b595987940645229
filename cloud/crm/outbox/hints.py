"""What CRMs told us, settled: looked at again where the CRM lets itself be asked, and written on the case's timeline.

A hint closes nothing: whether a case is done with is said by whoever has it, here. While the CRM is away nobody asks it
about a hint: it waits, and what is to be delivered does not wait behind it.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from cloud.alerts import store as alerts
from cloud.crm.outbox import store
from cloud.crm.outbox.dispatcher import AWAY, Connect, Make
from cloud.crm.outbox.models import Destination, Found, Heard, Outcome, key_of
from cloud.crm.port import CrmError, HintKind, Reader, Refused, Try, Verb
from cloud.db.connect import Connection
from cloud.faults import placed

log = logging.getLogger(__name__)

AT_A_TURN: Final = 50
# They may tell of what we are only about to write down: so long, and so often. Ours, as all of these.
LATER: Final = timedelta(seconds=30)
MOST_TRIES: Final = 10
# They may be away when they are asked: LATER, doubled so often, until it is too old to be of use.
MOST_DOUBLINGS: Final = 5


def settle(
    connect: Connect, make: Make, destination: Destination, now: Callable[[], datetime], at_most: int = AT_A_TURN
) -> int:
    """Settle what waits of this destination; how many were looked at. psycopg.OperationalError, PoolTimeout."""
    with connect() as connection:
        waiting = store.hints(connection, destination.destination_id, now(), at_most)
    for looked_at, heard in enumerate(waiting, start=1):
        try:
            _settle(connect, make, destination, heard, now)
        except _NoAnswer:
            return looked_at
        except AWAY:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever one hint does to a connector, the others go on
            log.error("a hint of %s cannot be settled (%s)", destination.name, placed(error))
            _wait(connect, destination, heard, now())
    return len(waiting)


class _NoAnswer(Exception):
    """They cannot be asked now, about whatever it be."""


def _settle(connect: Connect, make: Make, destination: Destination, heard: Heard, now: Callable[[], datetime]) -> None:
    """_NoAnswer."""
    with connect() as connection:
        answers = store.answers_now(connection, destination.destination_id, now())
        found = store.todo_of(connection, heard.destination_id, heard.remote_id)
        ours = found is not None and _is_ours(store.events_of(connection, heard.destination_id, found.reference), heard)
    outcome: Outcome | None
    if heard.kind != HintKind.TODO_COMPLETED:
        outcome = Outcome.NOTHING
    elif found is None:
        outcome = Outcome.UNKNOWN if heard.tries + 1 >= MOST_TRIES else None
    elif ours or found.completed_at is not None:
        outcome = Outcome.ECHO
    else:
        if not answers:
            raise _NoAnswer
        try:
            outcome = _looked_at(make, destination, heard, now())
        except Refused:
            outcome = Outcome.UNKNOWN
        except CrmError as error:
            log.info("a hint of %s could not be looked at (%s)", destination.name, error.what)
            _wait(connect, destination, heard, now())
            raise _NoAnswer from None
    with connect() as connection:
        if store.take(connection, heard):
            _write(connection, destination, heard, found, outcome, now())


def _wait(connect: Connect, destination: Destination, heard: Heard, now: datetime) -> None:
    """It is looked at again later; one that is too old is nobody's."""
    with connect() as connection:
        if not store.take(connection, heard):
            return
        if now - heard.heard_at >= destination.max_age:
            store.settle(connection, heard, Outcome.UNKNOWN, None, now)
        else:
            store.hear_later(connection, heard, now + LATER * (1 << min(heard.tries, MOST_DOUBLINGS)))


def _write(
    connection: Connection,
    destination: Destination,
    heard: Heard,
    found: Found | None,
    outcome: Outcome | None,
    now: datetime,
) -> None:
    if outcome is None:
        store.hear_later(connection, heard, now + LATER)
        return
    if outcome is Outcome.NOTED and found is not None:
        event = store.note(connection, found.thing_id, destination.name, now)
        if event is None:  # a visit, or a case that somebody closed meanwhile
            outcome = Outcome.NOTHING
        else:
            alerts.tell(connection, [event])
    store.settle(connection, heard, outcome, found.patient_id if found else None, now)


def _looked_at(make: Make, destination: Destination, heard: Heard, now: datetime) -> Outcome:
    """Whether it is so. One that has no words for it is believed as far as a note goes. CrmError: nobody can say."""
    crm = make(destination)
    if not isinstance(crm, Reader):
        return Outcome.NOTED
    key = str(uuid5(heard.destination_id, f"look:{heard.event_id}"))
    done = crm.is_completed(heard.remote_id, Try(key=key, number=heard.tries + 1, at=now))
    return Outcome.NOTED if done else Outcome.NOT_SO


def _is_ours(event_ids: list[UUID], heard: Heard) -> bool:
    """Whether they say that one of our own requests was the cause."""
    return heard.echo_of is not None and any(
        heard.echo_of == key_of(event_id, verb) for event_id in event_ids for verb in Verb
    )
