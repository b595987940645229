"""What stands on the worklist, and for whom."""

import re
from datetime import timedelta

import pytest

from tests.cloud.made import NOW, glucose, pressure, sent
from tests.fix_console import Console


def case_ids(html: str) -> list[str]:
    """The cases of a page, in their order."""
    return re.findall(r'data-case-id="([^"]+)"', html)


def test_a_case_shows_patient_reason_priority_and_age(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    page = console.sign_in("nora").get("/worklist").text
    assert len(case_ids(page)) == 1
    for text in (
        "Asta Example",
        "Very low glucose",
        "48 mg/dL: below the limit of 54 mg/dL",
        "due in 15 min",
        "2 min ago",
    ):
        assert text in page
    assert re.search(r'priority--high"><svg.*?</svg>High</span>', page, re.DOTALL), "colour, shape and word"


def test_cases_stand_by_priority_then_deadline(console: Console) -> None:
    console.ward.receive(sent(pressure("165", "80")))
    console.ward.receive(sent(glucose("260")))
    console.ward.receive(sent(pressure("190", "80", at=NOW - timedelta(minutes=1))))
    console.ward.receive(sent(glucose("50", NOW - timedelta(minutes=1))), at=NOW + timedelta(seconds=5))
    page = console.sign_in("nora").get("/worklist").text
    assert re.findall(r'data-priority="(\w+)"', page) == ["high", "high", "medium", "low"]
    orders = re.findall(r'data-order="([^"]+)"', page)
    assert orders == sorted(orders), "the page's script sorts by this text"


@pytest.mark.parametrize("login", ["eve"])
def test_a_nurse_outside_the_care_team_sees_no_case(console: Console, login: str) -> None:
    console.ward.receive(sent(glucose("48")))
    page = console.sign_in(login).get("/worklist").text
    assert case_ids(page) == []
    assert "Asta" not in page


def test_whoever_has_left_the_care_team_sees_the_case_no_more(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    nora = console.sign_in("nora")
    assert len(case_ids(nora.get("/worklist").text)) == 1
    console.ward.admin.execute("UPDATE care_team SET until = now() WHERE account_id = %s", (nora.account_id,))
    assert case_ids(nora.get("/worklist").text) == []


@pytest.mark.parametrize("login", ["ada", "asta", "sam", "carl"])
def test_for_who_is_not_a_nurse_there_is_no_worklist(console: Console, login: str) -> None:
    assert console.sign_in(login).get("/worklist").status_code == 404


def test_a_name_is_text_not_markup(console: Console) -> None:
    console.ward.admin.execute(
        "UPDATE patient SET display_name = %s WHERE patient_id = %s",
        ("<script>alert(1)</script>", console.ward.patient_id),
    )
    console.ward.receive(sent(glucose("48")))
    page = console.sign_in("nora").get("/worklist").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
