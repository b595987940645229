"""Connectors of what stands in the database; hints that are heard; dead letters that are tried again."""

import ssl
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.crm.connectors.addresses import Resolve, resolve
from cloud.crm.connectors.given import Given, NotUsable
from cloud.crm.connectors.offered import connector, listener
from cloud.crm.outbox import store
from cloud.crm.outbox.models import DeadLetter, Destination, Standing
from cloud.crm.outbox.sealing import NotOpened, secrets_of
from cloud.crm.port import Connector, NotGenuine, Shut
from cloud.crm_config import CrmSettings, trusting

Connection = AsyncConnection[Any]

LETTERS_SHOWN: Final = 50
SHORTEST_REASON, LONGEST_REASON = 5, 500


class NothingReplayed(Exception):
    """``code``: 'reason' (say why), or 'gone' (there is nothing to try again)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Connectors:
    """Makes connectors with what is around them; one for each destination and its settings, kept."""

    def __init__(self, settings: CrmSettings, now: Callable[[], datetime], found: Resolve = resolve) -> None:
        self._key = settings.key
        self._tls = trusting(settings)
        self._now = now
        self._resolve = found
        self._made: dict[UUID, tuple[Destination, Connector]] = {}

    def __call__(self, destination: Destination) -> Connector:
        """Shut: a person has to set something right."""
        kept = self._made.get(destination.destination_id)
        if kept is not None and kept[0] == destination:
            return kept[1]
        try:
            made = connector(destination.kind, given(destination, self._key, self._tls, self._now, self._resolve))
        except (NotUsable, NotOpened) as error:
            raise Shut(str(error)) from None
        self._made[destination.destination_id] = destination, made
        return made


def given(
    destination: Destination,
    key: bytes | None,
    tls: ssl.SSLContext,
    now: Callable[[], datetime],
    found: Resolve = resolve,
) -> Given:
    """NotOpened."""
    secrets = secrets_of(key, destination.destination_id, destination.sealed)
    return Given(settings=destination.settings, secrets=secrets, tls=tls, now=now, resolve=found)


async def hear(
    conn: Connection,
    settings: CrmSettings,
    tls: ssl.SSLContext,
    destination_id: UUID,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> int | None:
    """Keep what a CRM told; how much of it is new. None: nobody listens. NotGenuine, also where it is replayed."""
    destination = await store.destination(conn, destination_id)
    if destination is None:
        return None
    try:
        listens = listener(destination.kind, given(destination, settings.key, tls, lambda: now))
    except (NotUsable, NotOpened):
        listens = None
    if listens is None:
        return None
    fresh = 0
    for hint in listens.heard(headers, body, now):
        said = await store.hear(
            conn, destination_id, hint.event_id, hint.kind, hint.remote_id, hint.echo_of, hint.at, hint.signed_at, now
        )
        if said == "replayed":
            raise NotGenuine("replayed")
        fresh += said == "new"
    return fresh


async def overview(conn: Connection) -> list[tuple[Standing, list[DeadLetter]]]:
    """Every destination with its latest dead letters."""
    return [
        (standing, await store.dead_letters(conn, standing.destination_id, LETTERS_SHOWN) if standing.dead else [])
        for standing in await store.standings(conn)
    ]


async def replay(
    conn: Connection, session: Session, destination_id: UUID, seq: int | None, reason: str, now: datetime
) -> int:
    """Try one dead letter again, or all of a destination; how many. NothingReplayed."""
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise NothingReplayed("reason")
    many = await store.replay(conn, destination_id, seq, reason, now)
    if not many:
        raise NothingReplayed("gone")
    detail: dict[str, object] = {"letters": many, "reason": reason}
    await audit.record_by(conn, session, now, "crm.replay", f"crm_destination:{destination_id}", None, detail)
    return many


async def settle_letter(
    conn: Connection, session: Session, destination_id: UUID, seq: int | None, reason: str, now: datetime
) -> None:
    """A dead letter that nobody needs any more, with the reason. NothingReplayed."""
    reason = reason.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise NothingReplayed("reason")
    if seq is None or not await store.settle_letter(conn, destination_id, seq, reason, now):
        raise NothingReplayed("gone")
    detail: dict[str, object] = {"letter": seq, "reason": reason}
    await audit.record_by(conn, session, now, "crm.settle", f"crm_destination:{destination_id}", None, detail)


async def try_now(conn: Connection, session: Session, destination_id: UUID, now: datetime) -> bool:
    """Whether there is such a destination in use."""
    if not await store.try_now(conn, destination_id, now):
        return False
    await audit.record_by(conn, session, now, "crm.try", f"crm_destination:{destination_id}")
    return True


async def place(conn: Connection, reference: UUID) -> str | None:
    """The page that a CRM's link leads to; None: nothing that this person may see."""
    found = await store.place_of(conn, reference)
    if found is None:
        return None
    what, thing_id, patient_id = found
    return {"case": f"/cases/{thing_id}", "complaint": f"/complaints/{thing_id}"}.get(what, f"/patients/{patient_id}")
