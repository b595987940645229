"""What stands on the worklist, and for whom."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from alerting.life import acknowledged, closed_automatically
from alerting.tiers import Tier
from tests.cloud.made import NOW, glucose, sent
from tests.cloud.worklist.made import planted_case
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
    assert re.search(r'tier--urgent"><svg.*?</svg>Urgent</span>', page, re.DOTALL), "colour, shape and word"


def test_cases_stand_by_tier_then_by_what_is_due_first_then_by_what_worsened(console: Console) -> None:
    ward, soon = console.ward, NOW - timedelta(minutes=1)
    planted_case(ward, Tier.ROUTINE, condition="home_average_systolic")
    planted_case(ward, Tier.SAME_SHIFT, condition="hypotension_systolic")
    planted_case(ward, Tier.URGENT, condition="hyperglycaemia_urgent")
    planted_case(ward, Tier.URGENT, soon, condition="tachycardia")
    planted_case(ward, Tier.URGENT, soon, condition="bradycardia", change=lambda raised: replace(raised, round=3))
    planted_case(ward, Tier.EMERGENCY, condition="ketones_very_high")
    page = console.sign_in("nora").get("/worklist").text
    assert re.findall(r'data-condition="(\w+)"', page) == [
        "ketones_very_high",
        "bradycardia",
        "tachycardia",
        "hyperglycaemia_urgent",
        "hypotension_systolic",
        "home_average_systolic",
    ]
    orders = re.findall(r'data-order="([^"]+)"', page)
    assert orders == sorted(orders), "the page's script sorts by this text"


def test_what_somebody_has_in_hand_stands_where_its_next_step_is_due(console: Console) -> None:
    nora = console.sign_in("nora")
    planted_case(
        console.ward,
        condition="bradycardia",
        change=lambda raised: acknowledged(raised, nora.account_id, NOW, timedelta(hours=1)),
    )
    planted_case(console.ward, condition="tachycardia")
    page = nora.get("/worklist").text
    assert re.findall(r'data-condition="(\w+)"', page) == ["tachycardia", "bradycardia"]
    assert "due in 1 h 0 min" in page


def test_late_readings_and_what_closed_by_itself_stand_aside(console: Console) -> None:
    planted_case(console.ward, Tier.RETROSPECTIVE, condition="bradycardia")
    planted_case(
        console.ward, condition="tachycardia", change=closed_automatically, closed_automatically="not_confirmed"
    )
    yesterday = NOW - timedelta(hours=25)
    planted_case(
        console.ward,
        at=yesterday,
        condition="tachycardia",
        change=closed_automatically,
        closed_automatically="not_confirmed",
    )
    nora = console.sign_in("nora")
    page = nora.get("/worklist").text
    assert case_ids(page) == []
    assert "In retrospect (1)" in page
    assert "Closed automatically today (1)" in page
    late, closed = nora.get("/worklist?show=retrospect").text, nora.get("/worklist?show=automatic").text
    assert re.findall(r'data-condition="(\w+)"', late) == ["bradycardia"]
    assert re.findall(r'data-condition="(\w+)"', closed) == ["tachycardia"]
    assert "Measured again, and no longer beyond the limit" in closed
    assert nora.get("/worklist?show=everything").status_code == 404


def test_a_silenced_case_says_so_and_waits_for_nobody_meanwhile(console: Console) -> None:
    case_id = planted_case(console.ward)
    nora = console.sign_in("nora")
    nora.post(f"/cases/{case_id}/silence", {"minutes": "15", "reason": "waits for the second reading"})
    page = nora.get("/worklist").text
    assert "<strong>Silenced</strong>" in page
    assert '<strong id="waiting-count">0</strong>' in page
    console.clock.forward(minutes=15)
    assert '<strong id="waiting-count">1</strong>' in nora.get("/worklist").text


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
