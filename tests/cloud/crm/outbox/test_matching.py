"""Before a contact is made it is looked for: by the patient's number, and taken where the name agrees as well."""

import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from psycopg.types.json import Jsonb

from deploy.bitrix24.server import Bitrix24
from tests.cloud.crm.connectors.bitrix24.dispatched import Work, add_destination, raised
from tests.cloud.escalation.made import Clinic, made_clinic
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_bitrix24 import SimulatedClock

PHONE = "+4520998877"


@pytest.fixture
def clinic(ward: Ward) -> Iterator[Clinic]:
    with made_clinic(ward) as made:
        yield made


@pytest.fixture
def work(clinic: Clinic, bitrix24: Bitrix24, simulated_clock: SimulatedClock) -> Work:
    """A portal that may know numbers, and no names."""
    simulated_clock.at = NOW
    add_destination(clinic.ward, bitrix24)
    clinic.ward.admin.execute("UPDATE crm_destination SET settings = settings || %s", (Jsonb({"phones": "yes"}),))
    return Work(clinic, simulated_clock)


def patient(clinic: Clinic, name: str) -> UUID:
    """Whose number is PHONE, as the card for emergencies says."""
    patient_id = new_patient(clinic.ward.admin, name)
    clinic.ward.admin.execute(
        "INSERT INTO emergency_card (patient_id, address, emergency_number, phones, set_by, set_at)"
        " VALUES (%s, 'Quill Street 7', '112', ARRAY[%s], %s, %s)",
        (patient_id, PHONE, clinic.ward.nurse_id, NOW),
    )
    return patient_id


def theirs(bitrix24: Bitrix24, name: str, last_name: str) -> int:
    """A contact that the clinic made."""
    fm = [{"typeId": "PHONE", "valueType": "OTHER", "value": "+45 20 99 88 77"}]
    fields = {"name": name, "lastName": last_name, "comments": "Likes mornings.", "fm": fm}
    answer = bitrix24.portal.call("crm.item.add", {"entityTypeId": 3, "fields": fields})["result"]
    assert isinstance(answer, dict)
    return int(answer["item"]["id"])


def owners(bitrix24: Bitrix24) -> list[int]:
    return [int(str(todo["OWNER_ID"])) for todo in bitrix24.portal.todos]


def happens(work: Work, patient_id: UUID) -> None:
    """A case is raised, and told."""
    raised(work.clinic, patient_id, work.clock())
    work.tell()
    assert work.states().keys() == {"done"}


def test_a_contact_with_the_patients_number_and_name_is_the_patient_and_stays_as_the_clinic_wrote_it(
    clinic: Clinic, work: Work, bitrix24: Bitrix24
) -> None:
    spouse, own = theirs(bitrix24, "Edgar", "Quillfeather"), theirs(bitrix24, "Canary", "QUILLFEATHER")
    before = json.dumps(bitrix24.portal.contacts[own])
    who = patient(clinic, "Quillfeather, Canary")
    happens(work, who)
    assert owners(bitrix24) == [own]
    clinic.ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%s, %s, %s)", (who, NOW, NOW)
    )
    work.tell()
    assert work.states().keys() == {"done"}
    assert bitrix24.portal.contacts.keys() == {spouse, own}
    assert json.dumps(bitrix24.portal.contacts[own]) == before
    assert "Quillfeather" not in json.dumps(bitrix24.portal.asked[2:])  # what was asked, after the clinic's own two


def test_who_only_shares_the_number_is_somebody_else(clinic: Clinic, work: Work, bitrix24: Bitrix24) -> None:
    spouse = theirs(bitrix24, "Edgar", "Quillfeather")
    happens(work, patient(clinic, "Canary Quillfeather"))
    [owner] = owners(bitrix24)
    assert owner != spouse
    assert len(bitrix24.portal.contacts) == 2
    assert "originId" not in bitrix24.portal.contacts[spouse]


def test_of_two_with_the_same_number_and_name_nobody_is_guessed(clinic: Clinic, work: Work, bitrix24: Bitrix24) -> None:
    both = {theirs(bitrix24, "Canary", "Quillfeather"), theirs(bitrix24, "Canary", "Quillfeather")}
    happens(work, patient(clinic, "Canary Quillfeather"))
    assert not both & set(owners(bitrix24))


def test_two_patients_of_one_name_and_number_never_share_a_contact(
    clinic: Clinic, work: Work, bitrix24: Bitrix24
) -> None:
    own = theirs(bitrix24, "Canary", "Quillfeather")
    happens(work, patient(clinic, "Canary Quillfeather"))
    happens(work, patient(clinic, "Canary Quillfeather"))
    [first, second] = owners(bitrix24)
    assert first == own != second


def test_where_the_clinic_has_merged_its_contact_away_the_patient_is_looked_for_again(
    clinic: Clinic, work: Work, bitrix24: Bitrix24
) -> None:
    who = patient(clinic, "Canary Quillfeather")
    del bitrix24.portal.contacts[_adopted(clinic, work, bitrix24, who)]
    other = theirs(bitrix24, "Canary", "Quillfeather")
    work.clinic.ward.admin.execute("UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = now()")
    happens(work, who)
    assert owners(bitrix24)[-1] == other


def test_a_contact_of_ours_that_somebody_has_deleted_is_made_anew(
    clinic: Clinic, work: Work, bitrix24: Bitrix24
) -> None:
    who = patient(clinic, "Canary Quillfeather")
    happens(work, who)
    bitrix24.portal.contacts.clear()
    clinic.ward.admin.execute("UPDATE alert_case SET state = 'resolved', next_at = NULL, resolved_at = now()")
    happens(work, who)
    assert owners(bitrix24)[-1] in bitrix24.portal.contacts


def _adopted(clinic: Clinic, work: Work, bitrix24: Bitrix24, patient_id: UUID) -> int:
    own = theirs(bitrix24, "Canary", "Quillfeather")
    happens(work, patient_id)
    assert owners(bitrix24) == [own]
    return own


def test_where_no_number_may_leave_nobody_is_looked_for(clinic: Clinic, work: Work, bitrix24: Bitrix24) -> None:
    clinic.ward.admin.execute("UPDATE crm_destination SET settings = settings - 'phones'")
    own = theirs(bitrix24, "Canary", "Quillfeather")
    happens(work, patient(clinic, "Canary Quillfeather"))
    assert owners(bitrix24) != [own]
    assert "crm.duplicate.findbycomm" not in {name for name, _ in bitrix24.portal.asked}
