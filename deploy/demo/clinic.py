"""The clinic of the demonstration: its programme, a roster with somebody on duty now, and when patients measure."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from uuid import UUID

from alerting.closing import NOT_CONFIRMED
from cloud.db.connect import Connection, one, open_connection
from deploy.demo import cast

PROGRAMME = "at_home"
# Longer ago than the heightened period lasts: what measuring again does not confirm may close by itself.
JOINED_BEFORE = timedelta(days=90)

# Whoever starts the demo at night is to see somebody on duty.
ROUND_THE_CLOCK = (time(0), time(0))


def furnish(admin_url: str, at: datetime) -> Mapping[UUID, str]:
    """Set it up around the cast, who must be there; gives the names of the staff."""
    with open_connection(admin_url, "pulsepost-demo") as connection:
        staff = {member.login: _account(connection, member.login) for member in cast.STAFF}
        _programme(connection, staff["doctor"], at)
        _roster(connection, staff, at)
        for time_of_day in cast.SCHEDULE:
            _slot(connection, time_of_day, staff["nurse"], at)
        return {staff[member.login]: member.name for member in cast.STAFF}


def patient(connection: Connection, login: str) -> UUID:
    """Who signs in with this login."""
    row = connection.execute("SELECT patient_id FROM account WHERE login = %s", (login,)).fetchone()
    patient_id: UUID = one(row)[0]
    return patient_id


def _account(connection: Connection, login: str) -> UUID:
    account_id: UUID = one(connection.execute("SELECT account_id FROM account WHERE login = %s", (login,)).fetchone())[
        0
    ]
    return account_id


def _programme(connection: Connection, doctor: UUID, at: datetime) -> None:
    connection.execute(
        "INSERT INTO programme (programme_id, display_name, regimes, automatic_closing, changed_at, changed_by)"
        " VALUES (%s, 'Diabetes and blood pressure at home', '{esc2024,ada}', %s, %s, %s)",
        (PROGRAMME, [NOT_CONFIRMED], at, doctor),
    )
    for person in cast.PATIENTS:
        connection.execute(
            "INSERT INTO patient_programme (patient_id, programme_id, valid, set_by, reason)"
            " VALUES (%s, %s, tstzrange(%s, NULL), %s, 'Agreed at the first visit')",
            (patient(connection, person.login), PROGRAMME, at - JOINED_BEFORE, doctor),
        )


def _roster(connection: Connection, staff: Mapping[str, UUID], at: datetime) -> None:
    connection.execute(
        "UPDATE duty_site SET time_zone = %s, changed_at = %s, changed_by = %s", (cast.ZONE, at, staff["lead"])
    )
    starts, ends = ROUND_THE_CLOCK
    for member in cast.STAFF:
        for weekday in range(7):
            connection.execute(
                "INSERT INTO duty_shift (role, account_id, weekday, starts, ends, first_day, set_by, set_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (member.role, staff[member.login], weekday, starts, ends, (at - timedelta(days=7)).date(),
                 staff["lead"], at),
            )  # fmt: skip


def _slot(connection: Connection, slot: cast.Slot, nurse: UUID, at: datetime) -> None:
    # From today on: what was expected before the demo began is nobody's silence.
    connection.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, valid, set_by)"
        " VALUES (%s, %s, %s, tstzrange(%s, NULL), %s)",
        (patient(connection, slot.patient), slot.kind, slot.at, at, nurse),
    )
