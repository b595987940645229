"""The patient's pages: what is shown, how, and to whom."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Sample
from tests.cloud.made import NOW, glucose, ketone, pressure, sent, session
from tests.fix_console import Console

PATIENT_PAGES = ("/patients/{}", "/patients/{}/readings", "/patients/{}/series.json")


def test_values_keep_the_devices_own_unit_and_digits(console: Console) -> None:
    console.ward.receive(sent(glucose("5.40", unit=Unit.MMOL_L)))
    console.ward.receive(sent(pressure("128", "81", pulse="64")))
    page = _page(console)
    for text in ("5.40 mmol/L", "128/81 mmHg", "64/min"):
        assert text in page


def test_ketones_are_listed_and_drawn_apart_from_glucose(console: Console) -> None:
    console.ward.receive(sent(glucose("180"), ketone("0.7", NOW - timedelta(minutes=1))))
    page = _page(console)
    assert ">Ketones</h2>" in page
    assert "0.7 mmol/L" in page
    assert [(chart["kind"], list(chart["lines"])) for chart in _charts(console)] == [
        ("glucose", ["glucose"]),
        ("ketone", ["ketone"]),
    ]


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        (QuantityState.ABOVE_RANGE, "HI"),
        (QuantityState.BELOW_RANGE, "LO"),
        (QuantityState.NOT_A_NUMBER, "Failed measurement"),
    ],
)
def test_what_is_not_a_number_is_shown_as_what_it_is(console: Console, state: QuantityState, shown: str) -> None:
    console.ward.receive(sent(glucose(None, state=state)))
    assert re.search(rf'<td class="figure">{shown}', _page(console))


def test_control_solution_is_marked_and_not_drawn(console: Console) -> None:
    console.ward.receive(sent(glucose("123", sample=Sample.CONTROL_SOLUTION)))
    assert "Control solution" in _page(console)
    assert [chart["times"] for chart in _charts(console)] == [[]]


def test_a_right_clock_needs_no_second_time_and_a_wrong_one_shows_both(console: Console) -> None:
    console.ward.receive(sent(glucose("101")))
    assert "21 Nov 2026, 12:58" in _page(console), "11:58 UTC on the patient's clock in Copenhagen"
    assert "device said" not in _page(console)
    two_years = timedelta(days=730, hours=1, minutes=7)
    visit = session(clock=NOW - two_years)
    console.ward.receive(sent(glucose("102", NOW - two_years - timedelta(minutes=5)), visit=visit))
    page = _page(console)
    assert "21 Nov 2026, 12:55" in page
    assert "device said 2024-11-21T10:48:00" in page


def test_the_page_of_a_patient_lists_their_open_cases_and_limits(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    page = _page(console)
    assert "data-case-id" in page
    assert "Very low glucose" in page
    assert "below 54 mg/dL / 3.0 mmol/L" in _without_tags(page)


def test_a_patients_own_limit_stands_with_who_set_it_and_when(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at)"
        " VALUES (%s, 'hyperglycaemia', 'mg/dL', 190, 'low', 'wish', %s, %s)",
        (console.ward.patient_id, console.accounts["ada"], NOW - timedelta(days=20)),
    )
    console.ward.receive(sent(glucose("100")))
    page = _page(console)
    assert re.search(r"above 190 mg/dL.*?Ada Weiss, 1 Nov 2026", _without_tags(page))
    [chart] = _charts(console)
    assert (190.0, "low") in {(line["value"], line["priority"]) for line in chart["limits"]}


def test_the_series_has_one_chart_per_kind_and_unit_oldest_first(console: Console) -> None:
    console.ward.receive(
        sent(
            glucose("110", NOW - timedelta(hours=3)),
            glucose("120", NOW - timedelta(hours=2)),
            glucose("5.0", NOW - timedelta(hours=1), unit=Unit.MMOL_L),
            glucose(None, NOW - timedelta(minutes=30), state=QuantityState.ABOVE_RANGE),
        ),
        sent(pressure("128", "81")),
    )
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/series.json").json()
    assert answer["zone"] == "Europe/Copenhagen"
    assert [(c["kind"], c["unit"], c["lines"]) for c in answer["charts"]] == [
        ("glucose", "mg/dL", {"glucose": [110.0, 120.0, None]}),
        ("glucose", "mmol/L", {"glucose": [5.0]}),
        ("blood_pressure", "mmHg", {"systolic": [128.0], "diastolic": [81.0]}),
    ]
    first = answer["charts"][0]
    assert first["times"] == sorted(first["times"])
    assert first["off_scale"] == [{"time": (NOW - timedelta(minutes=30)).timestamp(), "word": "HI"}]


@pytest.mark.parametrize("login", ["eve", "asta", "sam", "carl"])
@pytest.mark.parametrize("path", PATIENT_PAGES)
def test_a_patient_who_is_none_of_ones_business_does_not_exist(console: Console, login: str, path: str) -> None:
    person = console.sign_in(login)
    forbidden = person.get(path.format(console.ward.patient_id))
    unknown = person.get(path.format(uuid4()))
    assert forbidden.status_code == unknown.status_code == 404
    assert forbidden.text == unknown.text


def test_a_doctor_lists_the_patients_in_their_care_and_no_other(console: Console) -> None:
    console.ward.receive(sent(glucose("48")))
    page = console.sign_in("ada").get("/patients").text
    assert "Asta Example" in page
    assert "Other Patient" not in page
    assert "2 min ago" in page


def test_opening_a_patients_page_is_in_the_audit_trail(console: Console) -> None:
    _page(console)
    assert console.ward.rows("SELECT account_id, patient_id FROM audit WHERE action = 'patient.read'") == [
        (console.accounts["ada"], console.ward.patient_id)
    ]


def _without_tags(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", page).split())


def _page(console: Console) -> str:
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}")
    assert answer.status_code == 200
    return answer.text


def _charts(console: Console) -> list[dict[str, Any]]:
    answer = console.sign_in("ada").get(f"/patients/{console.ward.patient_id}/series.json")
    charts: list[dict[str, Any]] = answer.json()["charts"]
    return charts
