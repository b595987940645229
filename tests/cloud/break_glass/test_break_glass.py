"""Opening a patient outside the care team at the console: what it opens, what it tells, and what it does not."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID, uuid4

import httpx
import pytest

from cloud.auth import store as accounts
from cloud.auth.models import Role
from cloud.break_glass.service import Refused, entry
from tests.cloud.console.test_every_route import routes
from tests.cloud.live.reading import stream, until
from tests.cloud.made import Ward, glucose, new_patient, sent
from tests.cloud.worklist.made import planted_case
from tests.fix_console import Console, Person

BORN = date(1948, 3, 14)
REASON = "Found unconscious in the stairwell"
SAID = "Opened outside your care team:"
ASTA = {"name": "asta example ", "born": BORN.isoformat(), "reason": REASON}


@pytest.fixture
def eve(console: Console) -> Person:
    """A nurse who is in nobody's care team; the ward's patient was born on BORN."""
    console.ward.admin.execute(
        "UPDATE patient SET birth_date = %s WHERE patient_id = %s", (BORN, console.ward.patient_id)
    )
    return console.sign_in("eve")


@pytest.fixture
def lena(console: Console, password_hash: str) -> Person:
    """A lead nurse, in nobody's care team either."""
    console.accounts["lena"] = accounts.create_account(
        console.ward.admin, login="lena", display_name="Lena Lund", role=Role.LEAD_NURSE, password_hash=password_hash
    )
    return console.sign_in("lena")


def break_glass(person: Person, **fields: str) -> httpx.Response:
    return person.post("/break-glass", {**ASTA, **fields})


def audited(ward: Ward) -> list[tuple[str, UUID | None]]:
    rows = ward.rows("SELECT action, patient_id FROM audit WHERE action LIKE 'break_glass.%' ORDER BY audit_id")
    return [(action, patient_id) for action, patient_id in rows]


def test_a_nurse_outside_the_care_team_opens_a_patient_with_a_reason(console: Console, eve: Person) -> None:
    path = f"/patients/{console.ward.patient_id}"
    assert eve.get(path).status_code == 404
    answer = break_glass(eve)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = eve.get(path)
    assert page.status_code == 200
    assert "Asta Example" in page.text
    assert eve.get(f"{path}/plan").status_code == 200
    assert eve.get(f"{path}/series.json").status_code == 200
    assert eve.get(f"/patients/{console.other_patient_id}").status_code == 404
    assert audited(console.ward) == [("break_glass.open", console.ward.patient_id)]


def test_every_page_says_so_while_it_lasts(console: Console, eve: Person) -> None:
    break_glass(eve)
    path = f"/patients/{console.ward.patient_id}"
    for page in (eve.get(path), eve.get(f"{path}/plan"), eve.get("/worklist")):
        assert SAID in page.text
        assert "Closes in 59 min" in page.text or "Closes in 1 h 0 min" in page.text
        assert REASON in page.text
    console.ward.admin.execute("UPDATE break_glass SET since = since - interval '59 minutes', until = now()")
    assert SAID not in eve.get("/worklist").text
    assert eve.get(path).status_code == 404


# What a page is of, by the names in a route's path.
# A way into the patient's own account, taking in, handing devices out: nothing of it helps somebody who lies there.
NOT_FOR_EMERGENCIES: Final = {
    "/patients/{patient_id}/invitation",
    "/enrolments/{patient_id}",
    "/patients/{patient_id}/devices",
    "/patients/{patient_id}/devices/pair",
}
OF_A_PATIENT: Final = ("{patient_id}", "{case_id}")


def test_each_page_of_a_patient_who_is_open_says_so(console: Console, eve: Person) -> None:
    """All of them, from the route table; and each exists, save those that are not for an emergency."""
    console.ward.admin.execute("UPDATE account SET role = 'lead_nurse' WHERE login = 'eve'")
    case_id = planted_case(console.ward)
    break_glass(eve)
    ids = {"patient_id": console.ward.patient_id, "case_id": case_id}
    silent, absent = [], set()
    for method, path in routes():
        if method != "GET" or not any(name in path for name in OF_A_PATIENT):
            continue
        names = re.findall(r"{(\w+)}", path)
        answer = eve.get(path.format(**{**dict.fromkeys(names, uuid4()), **ids}))
        if answer.status_code == 404 and set(names) <= set(ids):
            absent.add(path)
        if "<html" in answer.text and SAID not in answer.text:  # a part of a page stands below it
            silent.append((path, answer.status_code))
    assert silent == []
    assert absent == NOT_FOR_EMERGENCIES


@pytest.mark.parametrize("role", [Role.NURSE, Role.DOCTOR, Role.LEAD_NURSE])
def test_each_clinical_role_reads_treatment_card_and_review(console: Console, eve: Person, role: Role) -> None:
    console.ward.admin.execute("UPDATE account SET role = %s WHERE login = 'eve'", (role,))
    pages = [f"/patients/{console.ward.patient_id}/{page}" for page in ("treatment", "card", "review", "plan")]
    assert {eve.get(page).status_code for page in pages} == {404}
    break_glass(eve)
    assert {eve.get(page).status_code for page in pages} == {200}
    read = {"treatment.read", "emergency_card.read", "review.read", "plan.read"}
    rows = console.ward.rows("SELECT action, patient_id FROM audit")
    assert read <= {action for action, patient_id in rows if patient_id == console.ward.patient_id}


def test_no_link_into_the_patients_own_account_is_made_in_an_emergency(console: Console, eve: Person) -> None:
    break_glass(eve)
    path = f"/patients/{console.ward.patient_id}/invitation"
    assert path not in eve.get(f"/patients/{console.ward.patient_id}").text
    assert eve.get(path).status_code == eve.post(path).status_code == 404
    assert console.ward.count("invitation") == 0


def test_the_patient_reads_who_opened_them_and_when(console: Console, eve: Person) -> None:
    asta = console.sign_in("asta")
    assert "Eve Stranger" not in asta.get("/me/access").text
    break_glass(eve)
    eve.get(f"/patients/{console.ward.patient_id}")
    page = asta.get("/me/access").text
    assert "Patient opened outside the care team" in page
    assert page.count("Eve Stranger") == 2
    assert REASON not in page, "it may name others"


def test_the_worklist_of_whoever_broke_the_glass_stays_that_of_their_own_patients(
    console: Console, eve: Person
) -> None:
    break_glass(eve)
    with stream(eve) as events:
        until(events, "worklist")
        console.ward.receive(sent(glucose("48")))
        assert next(event for event in events if event.name in ("reading", "case")).name == "reading"
        assert "data-case-id" not in eve.get("/worklist").text


def test_a_case_can_be_worked_by_whoever_broke_the_glass(console: Console, eve: Person) -> None:
    console.ward.receive(sent(glucose("48")))
    [(case_id,)] = console.ward.rows("SELECT case_id FROM alert_case")
    assert eve.get(f"/cases/{case_id}").status_code == 404
    break_glass(eve)
    assert eve.get(f"/cases/{case_id}").status_code == 200
    assert eve.post(f"/cases/{case_id}/acknowledge").status_code < 400
    assert console.ward.rows("SELECT state, owner FROM alert_case") == [("acknowledged", eve.account_id)]


def test_the_live_stream_follows_the_opened_patient(console: Console, eve: Person) -> None:
    break_glass(eve)
    with stream(eve, path=f"/live?patient_id={console.ward.patient_id}") as events:
        until(events, "worklist")
        console.ward.receive(sent(glucose("101")))
        assert until(events, "reading").json()["patient_id"] == str(console.ward.patient_id)


def test_it_can_be_closed_before_its_time_and_by_nobody_else(console: Console, eve: Person) -> None:
    break_glass(eve)
    [(glass_id,)] = console.ward.rows("SELECT break_glass_id FROM break_glass")
    assert console.sign_in("nora").post(f"/break-glass/{glass_id}/close").status_code == 404
    assert eve.post(f"/break-glass/{glass_id}/close").status_code == 303
    assert eve.get(f"/patients/{console.ward.patient_id}").status_code == 404
    assert eve.post(f"/break-glass/{glass_id}/close").status_code == 404


def test_lead_nurses_are_told_until_one_has_seen_it(console: Console, eve: Person, lena: Person) -> None:
    break_glass(eve)
    [(glass_id,)] = console.ward.rows("SELECT break_glass_id FROM break_glass")
    page = lena.get("/worklist").text
    assert "Eve Stranger opened a patient outside their care team." in page
    assert REASON in page
    assert "Asta Example" not in page, "she is in nobody's care team"
    assert eve.post(f"/break-glass/{glass_id}/seen").status_code == 404
    assert lena.post(f"/break-glass/{glass_id}/seen").status_code == 303
    assert "Eve Stranger" not in lena.get("/worklist").text
    assert console.ward.rows("SELECT seen_by FROM break_glass") == [(lena.account_id,)]
    assert [action for action, _ in audited(console.ward)] == ["break_glass.open", "break_glass.seen"]


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "Asta"},
        {"name": "%"},
        {"born": "1948-03-15"},
        {"name": "", "born": "", "patient_id": str(uuid4())},
        {"patient_id": str(uuid4())},
    ],
)
def test_whom_nobody_fits_is_not_opened_and_the_try_is_kept(
    console: Console, eve: Person, asked: Mapping[str, str]
) -> None:
    answer = break_glass(eve, **asked)
    assert answer.status_code == 422
    assert "Nobody was opened" in answer.text
    assert console.ward.count("break_glass") == 0
    assert console.ward.count("break_glass_miss") == 1
    assert audited(console.ward) == [("break_glass.miss", None)]


def test_two_of_the_same_name_and_birth_date_look_like_nobody(console: Console, eve: Person) -> None:
    twin = new_patient(console.ward.admin)
    console.ward.admin.execute("UPDATE patient SET birth_date = %s WHERE patient_id = %s", (BORN, twin))
    assert break_glass(eve).status_code == 422
    assert break_glass(eve, patient_id=str(twin)).headers["location"] == f"/patients/{twin}"


def test_after_ten_tries_in_an_hour_nobody_is_opened_and_it_looks_the_same(console: Console, eve: Person) -> None:
    missed = [break_glass(eve, name=f"Nobody {n}").text for n in range(10)]
    refused = break_glass(eve)
    assert refused.status_code == 422
    assert _shown(refused.text) == _shown(missed[0])
    console.ward.admin.execute("UPDATE break_glass_miss SET at = at - interval '61 minutes'")
    assert break_glass(eve).status_code == 303


def test_a_patient_of_ones_own_needs_no_glass(console: Console, eve: Person) -> None:
    answer = break_glass(console.sign_in("nora"))
    assert (answer.status_code, answer.headers["location"]) == (303, f"/patients/{console.ward.patient_id}")
    assert console.ward.count("break_glass") == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"reason": "why not"}, "Say why"),
        ({"reason": "x" * 501}, "Say why"),
        ({"name": ""}, "Give the full name"),
        ({"born": ""}, "Give the full name"),
        ({"born": "yesterday"}, "Give the full name"),
        ({"patient_id": "17"}, "Give the full name"),
    ],
)
def test_a_form_without_a_person_or_a_reason_opens_nobody(
    console: Console, eve: Person, fields: Mapping[str, str], said: str
) -> None:
    answer = break_glass(eve, **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert console.ward.count("break_glass") == console.ward.count("break_glass_miss") == 0


@pytest.mark.parametrize("login", ["sam", "carl", "asta"])
def test_for_other_roles_there_is_no_such_page(console: Console, eve: Person, login: str) -> None:
    person = console.sign_in(login)
    assert person.get("/break-glass").status_code == 404
    assert break_glass(person).status_code == 404
    assert console.ward.count("break_glass") == 0


def test_what_is_typed_is_taken_at_its_word() -> None:
    typed = {"name": " Asta Example ", "born": "1948-03-14", "patient_id": "", "reason": f" {REASON} "}
    taken = entry(typed)
    assert (taken.name, taken.born, taken.patient_id, taken.reason) == ("Asta Example", BORN, None, REASON)
    with pytest.raises(Refused) as refused:
        entry({**typed, "name": " "})
    assert refused.value.code == "who"


def _shown(page: str) -> str:
    """The page without what was typed and the form's tokens."""
    return re.sub(r'value="[^"]*"|content="[^"]*"', "", page)
