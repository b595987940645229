"""Hours in which the doctor of the tests sees patients, and who wants to be seen."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

from cloud.auth.codes import new_token, token_hash
from cloud.auth.cookies import SESSION
from cloud.crm.appointments.models import Hours
from cloud.db.connect import Connection
from cloud.visits.models import Way
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_console import Console

# NOW is a Saturday at 13:00 in Copenhagen: Monday at nine is two nights away.
MONDAY = date(2026, 11, 23)
NINE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def at(hour: int, minute: int = 0, day: int = 23) -> str:
    """``2026-11-23T08:00:00Z`` of a time in Copenhagen in November."""
    return f"{datetime(2026, 11, day, hour - 1, minute, tzinfo=UTC):%Y-%m-%dT%H:%M:%SZ}"


def slot(console: Console, hour: int, minute: int = 0, day: int = 23, whom: str = "ada") -> str:
    """What a form says of a slot of hers."""
    return f"{console.accounts[whom]} {at(hour, minute, day)}"


def place_site(connection: Connection, zone: str = "Europe/Copenhagen") -> None:
    connection.execute("UPDATE duty_site SET time_zone = %s", (zone,))


def open_hours(
    connection: Connection,
    account_id: UUID,
    *,
    starts: str = "09:00",
    ends: str = "12:00",
    minutes: int = 20,
    weekday: int | None = 0,
    ways: str = "{clinic,video}",
    for_patients: bool = True,
    link: str = "",
) -> UUID:
    """By the week, from a month ago on; the site's clock is Copenhagen's."""
    place_site(connection)
    first = NOW.date() - timedelta(days=30) if weekday is not None else MONDAY
    [(hours_id,)] = connection.execute(
        """INSERT INTO appointment_hours (account_id, ways, place, link, weekday, starts, ends, slot_minutes,
                                          for_patients, first_day, last_day, set_by, set_at)
           VALUES (%s, %s, 'Room 4, Main Street 1', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING hours_id""",
        (account_id, ways, link, weekday, starts, ends, minutes, for_patients, first, None if weekday is not None else
         first, account_id, NOW),
    )  # fmt: skip
    found: UUID = hours_id
    return found


def hours(
    starts: time,
    ends: time,
    *,
    minutes: int = 20,
    weekday: int | None = 0,
    first: date = date(2026, 1, 1),
    last: date | None = None,
    whom: UUID | None = None,
) -> Hours:
    """Without a database."""
    return Hours(
        hours_id=uuid4(),
        account_id=whom or UUID(int=1),
        ways=(Way.CLINIC,),
        place="",
        link="",
        weekday=weekday,
        starts=starts,
        ends=ends,
        slot_minutes=minutes,
        for_patients=True,
        first_day=first,
        last_day=last,
    )


def patients_signed_in(ward: Ward, count: int) -> list[tuple[UUID, dict[str, str], str]]:
    """So many patients with open sessions, without a hashed password for each: the patient, cookies, and the token."""
    made = []
    for n in range(count):
        patient_id = new_patient(ward.admin, f"Patient {n}")
        [(account_id,)] = ward.admin.execute(
            "INSERT INTO account (login, display_name, role, password_hash, patient_id)"
            " VALUES (%s, %s, 'patient', '-', %s) RETURNING account_id",
            (f"patient-{n}", f"Patient {n}", patient_id),
        )
        token, csrf = new_token(), new_token()
        ward.admin.execute(
            "INSERT INTO login_session (token_hash, account_id, csrf_token, created_at, last_seen_at, expires_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (token_hash(token), account_id, csrf, NOW, NOW, NOW + timedelta(days=1)),
        )
        made.append((patient_id, {SESSION: token}, csrf))
    return made
