"""A ward, a CRM that is told of it, and the dispatcher between them, for the tests of telling CRMs."""

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from cloud.crm.outbox import hints, store
from cloud.crm.outbox.dispatcher import Dispatcher
from cloud.crm.outbox.models import Destination
from cloud.crm.outbox.sealing import sealed
from cloud.crm.outbox.service import Connectors
from cloud.crm.port import Connector
from cloud.crm_config import CrmSettings
from cloud.db.connect import Connection, open_connection
from deploy.receivers.crm import Crm
from tests.cloud.made import NOW, Ward, new_patient
from tests.cloud.notifications.made import Moment
from tests.cloud.worklist.made import planted_case

SECRET: Final = base64.b64encode(b"a secret of the tests, 32 octets").decode()
KEY: Final = b"a key of the tests is 32 octets!"
BASE_URL: Final = "https://pulsepost.example"


@dataclass
class Telling:
    """``crm`` is told of ``ward`` by ``turn``, on ``clock``."""

    ward: Ward
    crm: Crm
    clock: Moment
    destination_id: UUID
    connectors: Callable[[Destination], Connector]
    jobs: Connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """As the jobs process connects: a transaction that commits at the end."""
        with self.jobs.transaction():
            yield self.jobs

    @property
    def destination(self) -> Destination:
        with self.connect() as connection:
            [found] = [d for d in store.destinations(connection) if d.destination_id == self.destination_id]
        return found

    def dispatcher(self, make: Callable[[Destination], Connector] | None = None) -> Dispatcher:
        return Dispatcher(self.connect, make or self.connectors, BASE_URL, self.clock)

    def turn(self) -> int:
        """Deliver all that may leave now; how many tries that were."""
        return self.dispatcher().turn(self.destination)

    def settle(self) -> int:
        """Settle what was heard."""
        return hints.settle(self.connect, self.connectors, self.destination, self.clock)

    def patient(self, name: str = "Canary Quillfeather") -> UUID:
        return new_patient(self.ward.admin, name)

    def case(self, patient_id: UUID | None = None, **given: Any) -> UUID:
        """A case that is raised now."""
        return planted_case(self.ward, at=self.clock(), patient_id=patient_id, **given)

    def happens(self, case_id: UUID, event: str, state: str) -> None:
        """What a room of ours writes of a case."""
        self.ward.admin.execute(
            "UPDATE alert_case SET state = %(state)s, owner = CASE WHEN %(state)s = 'acknowledged' THEN %(who)s::uuid"
            " ELSE owner END, next_at = CASE WHEN %(state)s = 'resolved' THEN NULL ELSE next_at END,"
            " resolved_at = CASE WHEN %(state)s = 'resolved' THEN %(at)s END WHERE case_id = %(case)s",
            {"state": state, "who": self.ward.nurse_id, "at": self.clock(), "case": case_id},
        )
        self.ward.admin.execute(
            "INSERT INTO case_event (case_id, at, event, to_state) VALUES (%s, %s, %s, %s)",
            (case_id, self.clock(), event, state),
        )

    def reference(self, thing_id: UUID) -> str:
        """What the CRM calls it."""
        [(reference,)] = self.ward.rows(
            f"SELECT crm_reference(reference_key, '{thing_id}') FROM crm_destination"  # noqa: S608 -- a UUID of ours
            f" WHERE destination_id = '{self.destination_id}'"
        )
        return str(reference)

    def states(self) -> list[tuple[str, str]]:
        """Type and state of every event, in order."""
        rows = self.ward.rows("SELECT type, state FROM crm_outbox ORDER BY seq")
        return [(of_type.removeprefix("org.pulsepost.").removesuffix(".v1"), state) for of_type, state in rows]

    def health(self) -> dict[str, Any]:
        [(row,)] = self.ward.rows("SELECT to_jsonb(d) FROM crm_destination d")
        found: dict[str, Any] = row
        return found


def add_destination(ward: Ward, url: str, *, name: str = "Clinic CRM", **settings: str) -> UUID:
    """A webhook that is told from now on."""
    destination_id = uuid4()
    given: Mapping[str, str] = {"url": url, "inside": "yes", **settings}
    ward.admin.execute(
        "INSERT INTO crm_destination (destination_id, name, kind, settings, sealed, added_at)"
        " VALUES (%s, %s, 'webhook', %s, %s, %s)",
        (destination_id, name, Jsonb(dict(given)), sealed(KEY, destination_id, {"secret": f"whsec_{SECRET}"}), NOW),
    )
    return destination_id


@contextmanager
def made_telling(ward: Ward, crm: Crm, clock: Moment) -> Iterator[Telling]:
    """A destination, and the dispatcher's connection."""
    with open_connection(ward.database.jobs_url, "pulsepost test crm", autocommit=True) as jobs:
        yield Telling(
            ward=ward,
            crm=crm,
            clock=clock,
            destination_id=add_destination(ward, crm.url),
            connectors=Connectors(CrmSettings(key=KEY), clock),
            jobs=jobs,
        )


@contextmanager
def running_crm(clock: Moment) -> Iterator[Crm]:
    crm = Crm(secret=base64.b64decode(SECRET), now=clock)
    crm.start()
    try:
        yield crm
    finally:
        crm.stop()
