"""Patients who are reached, and a desk that tells them, for the tests of following up."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from cloud.config import JobsSettings
from cloud.crm.reach import store
from cloud.crm.reach.delivery import Delivery
from cloud.crm.reach.models import What
from cloud.db.connect import Connection, open_connection
from cloud.jobs.desk import Desk
from cloud.jobs.reaching import SUBJECTS
from cloud.notifications.channels.gateway import Gateway as GatewayChannel
from cloud.notifications.channels.post import Poster
from cloud.notifications.models import ChannelName
from deploy.receivers.gateways import Gateway
from tests.cloud.made import NOW, Ward
from tests.cloud.notifications.made import Moment

TLS = ssl.create_default_context()
BASE_URL = "https://pulsepost.example"
TELEPHONE = "+4520123456"


@dataclass
class Reaching:
    """A ward whose patient is reached by SMS, the process that tells them, and its clock."""

    ward: Ward
    clock: Moment
    desk: Desk
    jobs: Connection
    delivery: Delivery

    def tell(self, reason: str = "test:1", what: What = What.VISIT) -> UUID | None:
        """Have the patient told."""
        return store.tell(self.jobs, self.ward.patient_id, what, reason, self.clock())

    def look(self) -> None:
        """What the jobs do with everything that is due."""
        for message_id in store.due(self.jobs, self.clock()):
            self.delivery.look(message_id)

    def states(self) -> list[tuple[str, str, str | None]]:
        """(what, state, why) of each message, in the order in which they were made."""
        return self.ward.rows("SELECT what, state, why FROM outside_message ORDER BY created_at, reason")

    def agree(self, channel: str = "sms", address: str = TELEPHONE, decision: str = "given") -> None:
        """The patient's address, and their word about the way."""
        by = self.ward.nurse_id
        self.ward.admin.execute(
            "INSERT INTO patient_channel (patient_id, channel, address, place, added_by, added_at)"
            " SELECT %(p)s, %(c)s, %(a)s, 1 + count(*), %(by)s, %(at)s FROM patient_channel ON CONFLICT DO NOTHING",
            {"p": self.ward.patient_id, "c": channel, "a": address, "by": by, "at": NOW},
        )
        self.ward.admin.execute(
            "INSERT INTO channel_consent (patient_id, channel, decision, method, entered_by, entered_at)"
            " VALUES (%s, %s, %s, 'told', %s, %s)",
            (self.ward.patient_id, channel, decision, by, NOW),
        )


@contextmanager
def reaching(ward: Ward, gateway: Gateway) -> Iterator[Reaching]:
    """SMS and messenger go to one provider; nobody has agreed to anything yet."""
    clock = Moment()
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), clock)
    desk.pool.open()
    jobs = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    channel = GatewayChannel(poster=Poster(gateway.url, TLS), shape='{"to": "{to}", "text": "{text}"}')
    delivery = Delivery(
        connections=desk.pool.connection,
        now=clock,
        channels={ChannelName.SMS: channel, ChannelName.WEBHOOK: channel},
        subjects=SUBJECTS,
        base_url=BASE_URL,
    )
    try:
        yield Reaching(ward, clock, desk, jobs, delivery)
    finally:
        jobs.close()
        desk.pool.close()
