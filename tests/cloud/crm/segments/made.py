"""Patients with readings, cases and all else that a segment asks for."""

from datetime import date, datetime
from uuid import UUID

import psycopg

from cloud.crm.segments.measuring import everybody, in_parts, measure
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_console import Person


def measured(ward: Ward, at: datetime = NOW) -> None:
    """What the nightly job does, by the rights that it has."""
    with psycopg.connect(ward.database.jobs_url, options="-c timezone=UTC") as connection:
        for part in in_parts(everybody(connection)):
            measure(connection, part, at)


def lowered(ward: Ward) -> None:
    """The diastolic figures of all readings lie below every target."""
    ward.admin.execute("UPDATE blood_pressure_observation SET diastolic = diastolic - 20")


def cared_for(ward: Ward, name: str, *by: UUID, born: date | None = None, language: str = "en") -> UUID:
    """One more patient, in the care of these people."""
    patient_id = new_patient(ward.admin, name)
    ward.admin.execute(
        "UPDATE patient SET birth_date = %s, language = %s WHERE patient_id = %s", (born, language, patient_id)
    )
    for account_id in by:
        ward.admin.execute("INSERT INTO care_team (patient_id, account_id) VALUES (%s, %s)", (patient_id, account_id))
    return patient_id


def form(*conditions: dict[str, str], name: str = "Some", **other: str) -> dict[str, str]:
    """The form of a segment with these conditions."""
    numbered = {f"{field}_{n}": text for n, condition in enumerate(conditions) for field, text in condition.items()}
    return {"name": name, **other, **numbered}


def saved(person: Person, *conditions: dict[str, str], **other: str) -> str:
    """The address of a segment that this person saves."""
    answer = person.post("/segments/form", {**form(*conditions, **other), "do": "save"})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]
