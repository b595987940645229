"""Households: who lives together, whom one may talk to; and that it opens nobody's record to anybody."""

from uuid import UUID

import httpx
import pytest

from tests.cloud.contacts.test_card import CARD, PERSON
from tests.cloud.crm.segments.made import cared_for
from tests.cloud.made import NOW
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console, Person

CONSENT = {"topic_appointments": "1", "topic_devices": "1", "said_on": "2026-11-20", "method": "spoken"}


@pytest.fixture
def two(console: Console) -> tuple[Console, UUID]:
    """Asta, who has a contact person, and Bo, who shares her cuff; nora cares for both, ben for Asta alone."""
    bo = cared_for(console.ward, "Bo Example", console.accounts["nora"])
    console.ward.admin.execute(
        """INSERT INTO device_assignment (device_id, user_index, patient_id, valid)
           SELECT device_id, 2, %s, valid FROM device_assignment
           WHERE patient_id = %s AND user_index IS NULL LIMIT 1""",
        (bo, console.ward.patient_id),
    )
    asta = f"/patients/{console.ward.patient_id}"
    nora = console.sign_in("nora")
    assert nora.post(f"{asta}/card", CARD).status_code == 303
    assert nora.post(f"{asta}/card/contacts", {**PERSON, "may_be_told": "yes"}).status_code == 303
    return console, bo


def page(console: Console, person: Person) -> httpx.Response:
    return person.get(f"/patients/{console.ward.patient_id}/household")


def test_who_shares_a_device_is_suggested_lives_there_and_is_seen_by_nobody_who_does_not_care_for_them(
    two: tuple[Console, UUID],
) -> None:
    console, bo = two
    nora, ben, eve = (console.sign_in(login) for login in ("nora", "ben", "eve"))
    asta = f"/patients/{console.ward.patient_id}"
    assert "same device:" in text(page(console, nora))
    assert "Bo Example" not in page(console, ben).text, "he does not care for Bo"
    wanted = {"patient_id": str(bo), "relation": "husband", "own_relation": "wife"}
    assert ben.post(f"{asta}/household/members", wanted).status_code == 422
    assert eve.post(f"{asta}/household/members", wanted).status_code == 404
    assert nora.post(f"{asta}/household/members", wanted).status_code == 303
    assert "Lives with Bo Example (husband)." in text(nora.get(asta))
    assert "Lives with Asta Example (wife)." in text(nora.get(f"/patients/{bo}"))
    # Being of one household opens nothing, and does not even say that there is somebody.
    assert "Bo Example" not in text(ben.get(asta)) + text(page(console, ben))
    assert ben.get(f"/patients/{bo}").status_code == 404
    audited = "SELECT action, patient_id FROM audit WHERE action = 'household.join' ORDER BY audit_id"
    assert console.ward.rows(audited) == [("household.join", console.ward.patient_id), ("household.join", bo)]
    # Ben takes nobody out whom he does not see; nora does, and Asta's own row stays.
    [(member_id,)] = console.ward.rows("SELECT member_id FROM household_member WHERE relation = 'husband'")
    assert ben.post(f"{asta}/household/members/{member_id}/leave").status_code == 404
    assert nora.post(f"{asta}/household/members/{member_id}/leave").status_code == 303
    assert nora.post(f"{asta}/household/members/{member_id}/leave").status_code == 404
    assert "Lives with" not in text(nora.get(asta))
    # Who was left behind is free to live with somebody else.
    clara = cared_for(console.ward, "Clara Model", console.accounts["nora"])
    assert nora.post(f"/patients/{clara}/household/members", {"patient_id": str(bo)}).status_code == 303
    assert nora.post(f"{asta}/household/members", {"patient_id": str(clara), "relation": "friend"}).status_code == 303
    assert "Lives with Bo Example , Clara Model ." in text(nora.get(asta))
    assert "wife" not in page(console, ben).text, "he sees none of those with whom she lives, and so no household"


def test_a_third_joins_and_nobody_is_in_two_households(two: tuple[Console, UUID]) -> None:
    console, bo = two
    nora, asta = console.sign_in("nora"), f"/patients/{console.ward.patient_id}"
    others = [cared_for(console.ward, name, console.accounts["nora"]) for name in ("Clara Model", "Dan Model")]
    found = nora.post(f"{asta}/household/search", {"name": "model"})
    assert "Clara Model" in found.text
    assert "Dan Model" in found.text
    assert nora.post(f"{asta}/household/search", {"name": "m"}).status_code == 422
    assert "No patient of yours" in nora.post(f"{asta}/household/search", {"name": "_%"}).text
    for patient_id, of in ((str(bo), asta), (str(others[0]), asta), (str(others[1]), f"/patients/{others[0]}")):
        assert nora.post(f"{of}/household/members", {"patient_id": patient_id}).status_code == 303
    assert console.ward.rows("SELECT count(*), count(DISTINCT household_id) FROM household_member") == [(4, 1)]
    alone = [cared_for(console.ward, name, console.accounts["nora"]) for name in ("Eli Sole", "Fay Sole")]
    assert nora.post(f"/patients/{alone[0]}/household/members", {"patient_id": str(alone[1])}).status_code == 303
    refused = nora.post(f"{asta}/household/members", {"patient_id": str(alone[0])})
    assert refused.status_code == 422
    assert "Both are in a household already." in refused.text


def test_a_caller_is_named_with_what_the_patient_said_they_may_be_told(two: tuple[Console, UUID]) -> None:
    console, bo = two
    nora, asta = console.sign_in("nora"), f"/patients/{console.ward.patient_id}"
    number = PERSON["phones"].split(",")[0]
    [(contact_id, name, relation)] = console.ward.rows("SELECT contact_id, name, relation FROM contact_person")
    nora.post(f"{asta}/household/members", {"patient_id": str(bo), "relation": "husband"})

    def caller() -> str:
        return text(nora.post("/callers", {"number": number}))

    said = f"number of {name}, {relation} of Asta Example"
    assert f"{said} · may be told: that we try to reach the patient, appointments, devices" in caller()
    assert "Lives with Bo Example (husband). It may be about them." in caller()
    assert nora.post(f"{asta}/household/consents/{contact_id}", CONSENT).status_code == 303
    assert f"{said} · may be told: appointments, devices and measuring" in caller()
    assert "readings" not in caller().split("may be told")[1].split("Lives with")[0]
    assert "The patient, 20 Nov 2026 (said); written by Nora Quist, 21 Nov 2026" in text(page(console, nora))
    nothing = {"said_on": "2026-11-21", "method": "written"}
    assert nora.post(f"{asta}/household/consents/{contact_id}", nothing).status_code == 303
    assert f"{said} · may be told nothing" in caller()
    # Each word stays, with who wrote it and when.
    rows = console.ward.rows("SELECT topics, method, entered_at FROM contact_consent ORDER BY consent_no")
    assert rows == [(["appointments", "devices"], "spoken", NOW), ([], "written", NOW)]
    for wrong in ({"said_on": "2026-11-22"}, {"said_on": "soon"}, {"method": "guessed"}):
        answer = nora.post(f"{asta}/household/consents/{contact_id}", {**CONSENT, **wrong})
        assert answer.status_code == 422, wrong
    # Another patient's contact person, and somebody else's patient.
    assert nora.post(f"/patients/{bo}/household/consents/{contact_id}", CONSENT).status_code == 404
    assert console.sign_in("eve").post(f"{asta}/household/consents/{contact_id}", CONSENT).status_code == 404
    nora.post(f"{asta}/card/contacts/{contact_id}/remove")
    assert nora.post(f"{asta}/household/consents/{contact_id}", CONSENT).status_code == 404
