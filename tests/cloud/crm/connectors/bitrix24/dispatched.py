"""The dispatcher and the escalation, minute by minute, with the imitated portal as their CRM."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from alerting.tiers import Tier
from cloud.crm.outbox import hints, store
from cloud.crm.outbox.dispatcher import Dispatcher
from cloud.crm.outbox.sealing import sealed
from cloud.crm.outbox.service import Connectors
from cloud.crm_config import CrmSettings
from cloud.db.connect import Connection
from deploy.bitrix24.server import Bitrix24
from tests.cloud.escalation.made import Clinic, open_case
from tests.cloud.made import NOW, Ward
from tests.fix_bitrix24 import SimulatedClock

KEY = b"a key of the tests is 32 octets!"


def add_destination(ward: Ward, bitrix24: Bitrix24) -> UUID:
    """It is told from now on."""
    destination_id = uuid4()
    settings = {"responsible": "7", "inside": "yes"}
    ward.admin.execute(
        "INSERT INTO crm_destination (destination_id, name, kind, settings, sealed, added_at)"
        " VALUES (%s, 'Bitrix24', 'bitrix24', %s, %s, %s)",
        (destination_id, Jsonb(settings), sealed(KEY, destination_id, {"url": bitrix24.url}), NOW),
    )
    return destination_id


class Work:
    """The jobs process, minute by minute: what is due of cases, and then what may leave for the CRM.

    ``latest``: how long a case that was due waited. ``tries``: how often the CRM was asked.
    """

    def __init__(self, clinic: Clinic, clock: SimulatedClock) -> None:
        self.clinic = clinic
        self.clock = clock
        self.latest = timedelta(0)
        self.tries = 0
        self._connectors = Connectors(CrmSettings(key=KEY), clock)
        self._dispatcher = Dispatcher(self._connect, self._connectors, "https://pulsepost.example", clock)

    def minute(self) -> None:
        """All of one minute."""
        for case_id, due in self._due():
            self.latest = max(self.latest, self.clock() - due)
            self.clinic.look(case_id, self.clock())
        self.tell()

    def tell(self) -> None:
        """What may leave now."""
        with self._connect() as connection:
            destinations = store.destinations(connection)
        for destination in destinations:
            self.tries += self._dispatcher.turn(destination)

    def settle(self) -> None:
        """What was heard."""
        with self._connect() as connection:
            destinations = store.destinations(connection)
        for destination in destinations:
            hints.settle(self._connect, self._connectors, destination, self.clock)

    def states(self) -> Counter[str]:
        """How many events are done, waiting, dead."""
        rows = self.clinic.ward.rows("SELECT state FROM crm_outbox")
        return Counter(state for (state,) in rows)

    def _due(self) -> list[tuple[UUID, datetime]]:
        return [
            (case_id, due)
            for case_id, due in self.clinic.ward.rows(
                "SELECT case_id, next_at FROM alert_case WHERE next_at IS NOT NULL"
            )
            if due <= self.clock()
        ]

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with self.clinic.jobs.transaction():
            yield self.clinic.jobs


def raised(clinic: Clinic, patient_id: UUID, at: datetime) -> UUID:
    """A case, as the ingest opens it."""
    case_id = open_case(clinic.ward.admin, patient_id, Tier.URGENT, at, "hypoglycaemia_level_2")
    clinic.ward.admin.execute(
        "INSERT INTO case_event (case_id, at, event, to_state) VALUES (%s, %s, 'raise', 'raised')", (case_id, at)
    )
    return case_id
