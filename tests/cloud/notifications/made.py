"""Cases, people with addresses, and a desk, for the tests of telling people."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from cloud.config import JobsSettings
from cloud.db.connect import Connection, one, open_connection
from cloud.jobs.delivering import Delivery
from cloud.jobs.desk import Desk
from cloud.notifications.channels.port import Channel
from cloud.notifications.models import ChannelName
from cloud.notifications.service import notify
from cloud.notify_config import NotifySettings
from tests.cloud.made import NOW, Ward

SETTINGS = NotifySettings(base_url="https://pulsepost.example")


@dataclass
class Moment:
    """A clock for tests to move."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **span: float) -> None:
        self.time += timedelta(**span)


@dataclass
class Telling:
    """A ward with a case that waits, and the delivery of pages about it."""

    ward: Ward
    case_id: UUID
    clock: Moment
    desk: Desk
    delivery: Delivery
    jobs: Connection
    settings: NotifySettings = field(default=SETTINGS)

    def page(self, account_id: UUID | None = None, *, step: int = 0, round: int = 1) -> UUID:
        """Have somebody told; the notification's id."""
        made = notify(
            self.jobs,
            case_id=self.case_id,
            round=round,
            step=step,
            account_id=account_id or self.ward.nurse_id,
            at=self.clock(),
        )
        assert made is not None
        return made

    def outcomes(self, notification_id: UUID) -> list[tuple[str, str]]:
        """(channel, outcome) of each try."""
        return self.ward.admin.execute(
            "SELECT channel, outcome FROM notification_attempt WHERE notification_id = %s ORDER BY attempt_id",
            (notification_id,),
        ).fetchall()

    def state(self, notification_id: UUID) -> tuple[str, str | None]:
        """State, and how we know that it arrived."""
        row = self.ward.admin.execute(
            "SELECT state, confirmed_by FROM notification WHERE notification_id = %s", (notification_id,)
        ).fetchone()
        state, by = one(row)
        return state, by

    def acknowledge(self, account_id: UUID | None = None) -> None:
        """What taking the case comes to in the database."""
        acknowledge(self.ward.admin, self.case_id, account_id or self.ward.nurse_id, self.clock())


def acknowledge(connection: Connection, case_id: UUID, account_id: UUID, at: datetime) -> None:
    """The row of a case that a person takes."""
    connection.execute(
        "UPDATE alert_case SET state = 'acknowledged', owner = %s, changed_at = %s WHERE case_id = %s",
        (account_id, at, case_id),
    )


def new_case(ward: Ward, *, condition: str = "hypoglycaemia_level_2", tier: str = "urgent", at: datetime = NOW) -> UUID:
    """An open case that nobody has taken."""
    row = ward.admin.execute(
        """INSERT INTO alert_case (patient_id, condition, priority, tier, state, sentence, reason, opened_at, raised_at,
                                   deadline, changed_at, next_at)
           VALUES (%(patient)s, %(condition)s, 'high', %(tier)s, 'raised', 'Glucose 41 mg/dL', '{}', %(at)s, %(at)s,
                   %(at)s::timestamptz + interval '15 minutes', %(at)s, %(at)s::timestamptz + interval '15 minutes')
           RETURNING case_id""",
        {"patient": ward.patient_id, "condition": condition, "tier": tier, "at": at},
    ).fetchone()
    case_id: UUID = one(row)[0]
    return case_id


def new_address(
    ward: Ward, channel: ChannelName, address: str, *, account_id: UUID | None = None, verified: bool = True
) -> UUID:
    """Somebody's address, behind their others."""
    row = ward.admin.execute(
        """INSERT INTO staff_address (account_id, channel, address, position, added_at, verified_at)
           SELECT %(account)s, %(channel)s, %(address)s, 1 + count(*), %(at)s, %(verified)s
           FROM staff_address WHERE account_id = %(account)s RETURNING address_id""",
        {
            "account": account_id or ward.nurse_id,
            "channel": channel,
            "address": address,
            "at": NOW,
            "verified": NOW if verified else None,
        },
    ).fetchone()
    address_id: UUID = one(row)[0]
    return address_id


@contextmanager
def telling(
    ward: Ward, channels: Mapping[ChannelName, Channel], settings: NotifySettings = SETTINGS
) -> Iterator[Telling]:
    """A case that waits, and a delivery with these channels."""
    clock = Moment()
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url, notify=replace(settings)), clock)
    desk.pool.open()
    jobs = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    try:
        yield Telling(ward, new_case(ward), clock, desk, Delivery(desk, channels), jobs, settings)
    finally:
        jobs.close()
        desk.pool.close()
