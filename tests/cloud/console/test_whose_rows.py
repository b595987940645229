"""What belongs to one patient is not there under the address of another, also for whoever cares for both."""

import re
from typing import Final, LiteralString
from uuid import UUID, uuid4

from psycopg.sql import SQL, Identifier

from cloud.auth.models import Role
from cloud.console.edge import UNSAFE
from tests.cloud.console.test_who_may import FOR, ruled
from tests.cloud.db.test_access import FILLED
from tests.cloud.made import NOW
from tests.fix_console import Console

# Where the rows stand that a path names after its patient. Of documents there are two kinds.
TABLES: Final[dict[str, LiteralString]] = {
    "appointment_id": "appointment",
    "change_id": "treatment_change",
    "channel_id": "patient_channel",
    "contact_id": "contact_person",
    "entry_id": "care_minutes",
    "follow_up_id": "follow_up",
    "identifier_id": "patient_identifier",
    "medication_id": "medication",
    "member_id": "household_member",
    "pause_id": "measurement_pause",
    "scan_id": "document_scan",
    "sent_id": "questionnaire_sent",
    "slot_id": "measurement_slot",
    "tag_id": "patient_tag",
    "telephone_call_id": "telephone_call",
    "time_id": "medication_time",
    "visit_id": "visit",
    "wish_id": "appointment_wish",
}
# What any of the forms may ask for, so that nothing is refused before anybody looks whose it is.
FORM: Final = {
    "reason": "she asked", "why": "she asked", "outcome": "cancelled", "state": "done", "answer": "yes",
    "link": "https://video.example/", "said_on": "2026-11-20", "method": "spoken", "signed_on": "2026-11-20",
}  # fmt: skip


def planted(console: Console, patient_id: UUID) -> None:
    """A row of everything, of a patient in a doctor's care."""
    given = {
        "patient": patient_id, "nurse": console.accounts["nora"], "lead": console.accounts["ada"], "now": NOW,
        "case": uuid4(), "told": uuid4(),
    }  # fmt: skip
    for statement in FILLED:
        console.ward.admin.execute(statement, given)
    console.ward.admin.execute(
        "INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        (patient_id, console.accounts["ada"]),
    )


def id_of(console: Console, name: str, table: LiteralString) -> UUID:
    """Of a row of the ward's patient."""
    query = SQL("SELECT {} FROM {} WHERE patient_id = %s LIMIT 1").format(Identifier(name), Identifier(table))
    [(found,)] = console.ward.admin.execute(query, (console.ward.patient_id,)).fetchall()
    id_: UUID = found
    return id_


def test_a_row_of_one_patient_is_not_there_under_another_in_the_same_care(console: Console) -> None:
    for patient_id in (console.ward.patient_id, console.other_patient_id):
        planted(console, patient_id)
    ids = {name: id_of(console, name, table) for name, table in TABLES.items()}
    ada, asked = console.sign_in("ada"), set()
    token = ada.csrf_token()
    for method, path in ruled():
        names = set(re.findall(r"{(\w+)}", path)) - {"patient_id"}
        if "{patient_id}" not in path or Role.DOCTOR not in FOR.get(f"{method} {path}", ()):
            continue
        kind: LiteralString = "discharge_document" if "discharge" in path else "document"
        known = {**ids, "document_id": id_of(console, "document_id", kind)}
        if not names or not names <= set(known):
            continue
        form = {**FORM, "csrf_token": token, "call_id": str(uuid4())}
        answer = ada.client.request(
            method,
            path.format(patient_id=console.other_patient_id, **known),
            data=form if method in UNSAFE else None,
        )
        assert answer.status_code in (404, 409), f"{method} {path}: {answer.status_code}"
        asked |= names
    assert asked == {*TABLES, "document_id"}
