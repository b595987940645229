"""Having telephones ring: taken once, asked with nothing held, and written down. Never asked again by itself."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias
from uuid import UUID

from cloud.crm.connectors.addresses import Resolve, resolve
from cloud.crm.connectors.given import Given, NotUsable
from cloud.crm.outbox.sealing import NotOpened, sealed, secrets_of
from cloud.crm.port import Ambiguous, CrmError, Shut
from cloud.crm.telephony import store
from cloud.crm.telephony.models import Due, Ringing, System
from cloud.crm.telephony.port import Dial, Minded, Over, Telephony
from cloud.crm.telephony.systems import telephony
from cloud.crm_config import CrmSettings, trusting
from cloud.db.connect import Connection

log = logging.getLogger(__name__)

# A connection in a transaction that commits at the end of the block, or is rolled back.
Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]


class Systems:
    """The connectors of what stands in the database, each kept for as long as nobody changes it."""

    def __init__(
        self, settings: CrmSettings, connect: Connect, now: Callable[[], datetime], found: Resolve = resolve
    ) -> None:
        self._key = settings.key
        self._tls = trusting(settings)
        self._connect = connect
        self._now = now
        self._resolve = found
        self._made: dict[UUID, tuple[System, Telephony]] = {}

    def __call__(self, system: System) -> Telephony:
        """Shut: a person has to set something right."""
        kept = self._made.get(system.system_id)
        if kept is not None and kept[0] == system:
            return kept[1]
        try:
            secrets = dict(secrets_of(self._key, system.system_id, system.sealed))
            given = Given(
                settings=system.settings,
                secrets=secrets,
                tls=self._tls,
                now=self._now,
                keep=lambda name, value: self._keep(system, secrets, name, value),
                resolve=self._resolve,
            )
            made = telephony(system.kind, given)
        except (NotUsable, NotOpened) as error:
            raise Shut(str(error)) from None
        self._made[system.system_id] = system, made
        return made

    def _keep(self, system: System, secrets: dict[str, str], name: str, value: str) -> None:
        """A secret was exchanged for the next: it is stored before anybody relies on it.

        What an operator has given meanwhile stays; the next to be rung for is rung for with that.
        """
        former, secrets[name] = secrets[name], value
        with self._connect() as connection:
            stored = secrets_of(self._key, system.system_id, store.sealed_of(connection, system.system_id))
            if stored.get(name) != former:
                return
            again = sealed(self._key, system.system_id, {**stored, name: value})
            store.reseal(connection, system.system_id, again)
        _, made = self._made.get(system.system_id, (system, None))
        if made is not None and {**stored, name: value} == secrets:
            self._made[system.system_id] = replace(system, sealed=again), made


class Ringer:
    """Asks telephone systems for people who wait at a page."""

    def __init__(self, connect: Connect, make: Callable[[System], Telephony], now: Callable[[], datetime]) -> None:
        self._connect = connect
        self._make = make
        self._now = now

    def ring(self, ring_id: UUID) -> None:
        """Have it ring, once. psycopg.OperationalError, PoolTimeout."""
        with self._connect() as connection:
            due = store.take(connection, ring_id, self._now())
        if due is None:
            return
        state, why, remote_id = self._dialled(due)
        with self._connect() as connection:
            store.settle(connection, ring_id, state, self._now(), why=why, remote_id=remote_id)

    def over(self, ring_id: UUID) -> None:
        """Tell a system that minds that a call is over, and where its recording is. psycopg.OperationalError."""
        with self._connect() as connection:
            due = store.due(connection, ring_id)
        if due is None or due.remote_id is None:
            return
        try:
            self._tell(due, due.remote_id)
        except CrmError as error:
            log.warning("%s was not told that a call is over (%s)", due.system.name, error.what)

    def _dialled(self, due: Due) -> tuple[Ringing, str | None, str | None]:
        dial = Dial(key=str(due.ring_id), extension=due.extension, number=due.number, at=due.asked_at)
        try:
            dialled = self._make(due.system).dial(dial)
        except Ambiguous as error:
            return Ringing.UNCLEAR, error.what[:200], None
        except CrmError as error:
            log.warning("%s does not have a telephone ring (%s)", due.system.name, error.what)
            return Ringing.FAILED, error.what[:200], None
        return (Ringing.RINGS if dialled.rings else Ringing.SHOWN), None, dialled.remote_id

    def _tell(self, due: Due, remote_id: str) -> None:
        system = self._make(due.system)
        if not isinstance(system, Minded) or due.ended_at is None:
            return
        if due.finished_at is None:
            duration = due.ended_at - (due.began_at or due.ended_at)
            over = Over(
                remote_id=remote_id,
                extension=due.extension,
                duration=max(duration, timedelta(0)),
                outcome=due.outcome or "",
            )
            system.over(over)
            with self._connect() as connection:
                store.finished(connection, due.ring_id, self._now())
        with self._connect() as connection:
            found = store.to_attach(connection, due.ring_id) if system.takes_recordings else None
        if found is not None:
            recording_id, url = found
            system.attach(remote_id, url)
            with self._connect() as connection:
                store.attached(connection, recording_id, self._now())
