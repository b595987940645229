"""A ward whose patient's lead nurse and coordinator look after evidence too."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from tests.cloud.made import METER, Ward, arrival, glucose, message, session
from tests.fix_console import Console

OCTOBER = "2026-10"
# The first of the 30 days that end on 31 October; the ward's devices are supplied then.
SUPPLIED = datetime(2026, 10, 2, 6, tzinfo=UTC)


def looked_after(console: Console) -> None:
    """Carl coordinates the ward's patient, whose devices were supplied for October."""
    ward = console.ward
    ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (ward.patient_id, console.accounts["carl"])
    )
    supplied(ward)


def supplied(ward: Ward, at: datetime = SUPPLIED) -> None:
    """Their devices are the patient's from then on."""
    ward.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(%s, NULL) WHERE patient_id = %s", (at, ward.patient_id)
    )


def measured(ward: Ward, *times: datetime) -> None:
    """A glucose reading at each of these times."""
    readings = [glucose(str(90 + n % 60), at, sequence_number=1000 + n) for n, at in enumerate(times)]
    for first in range(0, len(readings), 50):
        ward.receive(arrival(message(*readings[first : first + 50], visit=session(METER))))


def on_days(count: int, first: datetime = SUPPLIED + timedelta(hours=2)) -> list[datetime]:
    """A time on each of so many days, one after the other."""
    return [first + timedelta(days=n) for n in range(count)]


def book(ward: Ward, account_id: UUID, starts: datetime, minutes: int, *, live: bool = True) -> None:
    """Minutes of a call that somebody wrote by hand."""
    ward.admin.execute(
        "INSERT INTO care_minutes (patient_id, account_id, during, activity, interactive, origin, written_by,"
        " written_at)"
        " VALUES (%s, %s, tstzrange(%s, %s), 'call', %s, 'hand', %s, %s)",
        (ward.patient_id, account_id, starts, starts + timedelta(minutes=minutes), live, account_id, starts),
    )
