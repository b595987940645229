"""A telephone system that tells of calls and is asked to have telephones ring, on a console's ward."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from psycopg.types.json import Jsonb
from standardwebhooks.webhooks import Webhook as Reference

from cloud.crm.outbox.sealing import sealed
from cloud.crm.telephony.ringing import Ringer, Systems
from cloud.crm_config import CrmSettings
from cloud.db.connect import Connection, open_connection
from tests.cloud.contacts.test_card import CARD, PERSON
from tests.cloud.contacts.test_card import url as card_url
from tests.cloud.made import NOW
from tests.fix_console import Console, Person

SECRET: Final = base64.b64encode(b"a telephone's secret, 32 octets!").decode()
KEY: Final = b"a key of the tests is 32 octets!"
# The patient's own, and their daughter's.
NUMBER, DAUGHTER = "+4520123456", "+4520998877"
EXTENSION = "12"


@dataclass
class Exchange:
    """A telephone system of the console's clinic: ``tell`` is what it sends us."""

    console: Console
    system_id: UUID
    events: int = field(default=0)

    def signed(self, body: bytes, at: datetime, event_id: str, secret: str = SECRET) -> dict[str, str]:
        """By the reference implementation."""
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Reference(secret).sign(event_id, at, body.decode()),
        }

    def body(self, what: str, **data: Any) -> bytes:
        said = {"call": "c-1", "number": NUMBER, "extension": EXTENSION, "direction": "in", **data}
        time = said.pop("time", self.console.clock())
        envelope = {
            "specversion": "1.0",
            "id": uuid4().hex,
            "source": "/exchange",
            "type": f"org.pulsepost.telephone.call.{what}.v1",
            "time": time.isoformat(),
            "data": said,
        }
        return json.dumps(envelope).encode()

    def post(self, headers: Mapping[str, str], body: bytes, system_id: object = None) -> httpx.Response:
        """No cookie, no origin."""
        path = f"/telephone/{system_id or self.system_id}/events"
        return httpx.post(f"{self.console.url}{path}", content=body, headers=dict(headers), timeout=60)

    def tell(self, what: str, **data: Any) -> httpx.Response:
        """One event, once."""
        self.events += 1
        body = self.body(what, **data)
        return self.post(self.signed(body, self.console.clock(), f"event-{self.events}"), body)

    def calls(self, columns: str = "direction, number, patient_id") -> list[tuple[Any, ...]]:
        return self.console.ward.rows(f"SELECT {columns} FROM telephone_call ORDER BY started_at, remote_id")  # noqa: S608 -- ours


def add_system(admin: Connection, kind: str, secrets: Mapping[str, str], **settings: str) -> UUID:
    """A system in use."""
    system_id = uuid4()
    admin.execute(
        "INSERT INTO telephone_system (system_id, name, kind, settings, sealed, added_at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (system_id, f"Exchange {kind}", kind, Jsonb(settings), sealed(KEY, system_id, secrets), NOW),
    )
    return system_id


def at_the_desk(console: Console, system_id: UUID, login: str = "nora", extension: str = EXTENSION) -> Person:
    """Somebody who has said which telephone is theirs."""
    person = console.sign_in(login)
    answer = person.post("/me/telephone", {"system": str(system_id), "extension": extension})
    assert answer.status_code == 303, answer.text
    return person


def with_card(person: Person, console: Console) -> None:
    """The patient's number, and the daughter's."""
    assert person.post(card_url(console), CARD).status_code == 303
    assert person.post(card_url(console, "/contacts"), PERSON).status_code == 303


def exchange_of(console: Console, url: str = "http://127.0.0.1:9/ring") -> Exchange:
    """A webhook that listens and tells."""
    system_id = add_system(
        console.ward.admin, "webhook", {"secret": f"whsec_{SECRET}"}, url=url, inside="yes", region="DK"
    )
    return Exchange(console, system_id)


@contextmanager
def ringer(console: Console, systems: type[Systems] = Systems) -> Iterator[tuple[Ringer, Connection]]:
    """What the jobs process does, on the console's clock."""
    with open_connection(console.ward.database.jobs_url, "pulsepost test rings", autocommit=True) as jobs:

        @contextmanager
        def connect() -> Iterator[Connection]:
            with jobs.transaction():
                yield jobs

        make = systems(CrmSettings(key=KEY), connect, console.clock)
        yield Ringer(connect, make, console.clock), jobs


def planted_call(admin: Connection, patient_id: UUID, account_id: UUID, now: datetime) -> dict[str, str]:
    """A call of the patient that was recorded with their consent, for the tests of pages: its ids by their names."""
    system_id = add_system(admin, "printing", {})
    admin.execute(
        "INSERT INTO recording_consent (patient_id, decision, method, asked_at, entered_by, entered_at)"
        " VALUES (%s, 'given', 'told', %s, %s, %s)",
        (patient_id, now, account_id, now),
    )
    [(call,)] = admin.execute(
        "INSERT INTO telephone_call (system_id, remote_id, direction, number, extension, account_id, patient_id,"
        " matching, started_at, answered_at, ended_at, recorded_at)"
        " VALUES (%s, 'planted', 'in', %s, '12', %s, %s, 1, %s, %s, %s, %s) RETURNING telephone_call_id",
        (system_id, NUMBER, account_id, patient_id, *(now - timedelta(minutes=m) for m in (30, 29, 25, 24))),
    )
    [(recording,)] = admin.execute(
        "INSERT INTO call_recording (telephone_call_id, patient_id, state, reference, sha256, hashed_by, told_at,"
        " keep_until) VALUES (%s, %s, 'kept', 'https://exchange.example/r/1', sha256('r'), 'the exchange', %s, %s)"
        " RETURNING recording_id",
        (call, patient_id, now, now + timedelta(days=90)),
    )
    return {"telephone_system": str(system_id), "telephone_call": str(call), "recording": str(recording)}
