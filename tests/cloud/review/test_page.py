"""The doctor's page: is there enough to act on, said with the numbers needed; figures only where there is enough."""

import html
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from alerting.limits import Priority
from cloud.plans.store import set_limit
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Sample
from tests.cloud.made import NOW, expect, glucose
from tests.cloud.review.made import glucose_weeks, pressure_weeks, store
from tests.fix_console import Console


def url(console: Console, rest: str = "") -> str:
    """Of the review of the ward's patient."""
    return f"/patients/{console.ward.patient_id}/review{rest}"


def text(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def parts(answer: httpx.Response) -> list[tuple[str, str, str]]:
    """Kind, unit, and whether there is enough."""
    return re.findall(r'data-kind="(\w+)" data-unit="([^"]+)" data-enough="(\w+)"', answer.text)


def test_a_full_week_is_enough_and_the_average_stands_against_the_regimes_target(console: Console) -> None:
    pressure_weeks(console.ward, 20)
    answer = console.sign_in("ada").get(url(console))
    page = text(answer)
    assert parts(answer) == [("blood_pressure", "mmHg", "yes")]
    assert "22 readings on 6 days in the 7 days to 21 Nov 2026: 12 in the morning, 10 in the evening." in page
    assert "The first day, 15 Nov 2026, is left out." in page
    assert "Needed: 12 readings on 3 days (722 protocol, Taiwan consensus PMC7677637" in page
    assert "139.0/88.1 mmHg, above target" in page
    assert "Limit: at or above 135/85 mmHg." in page
    assert "2024 ESC elevated blood pressure guideline, read in a summary" in page
    assert "Mornings minus evenings +8.0 mmHg Systolic." in page
    assert "shown only" in page


def test_too_few_readings_show_no_figure_but_what_is_missing(console: Console) -> None:
    pressure_weeks(console.ward, 3)
    answer = console.sign_in("ada").get(url(console))
    page = text(answer)
    assert parts(answer) == [("blood_pressure", "mmHg", "no")]
    assert "No, not enough yet" in page
    assert "6 readings on 2 days in the 7 days to 21 Nov 2026" in page
    assert "Missing: 6 readings, 1 day." in page
    assert "above target" not in page
    assert "below target" not in page
    # The readings are in the chart, the average of the week is not.
    assert not re.search(r"\d+\.\d/\d+\.\d mmHg", page)


def test_a_patient_without_readings_has_nothing_to_judge(console: Console) -> None:
    answer = console.sign_in("ada").get(url(console))
    assert parts(answer) == []
    assert "there is nothing to judge" in text(answer)


def test_a_doctors_own_target_stands_in_place_of_the_regimes_with_the_doctors_name(console: Console) -> None:
    pressure_weeks(console.ward, 20)
    set_limit(
        console.ward.admin, patient_id=console.ward.patient_id, condition="home_average_systolic", unit=Unit.MM_HG,
        value=Decimal("150"), priority=Priority.LOW, reason="frail", set_by=console.accounts["ada"], at=NOW,
    )  # fmt: skip
    page = text(console.sign_in("ada").get(url(console)))
    assert "Limit: at or above 150/85 mmHg." in page
    assert "Ada Weiss, set by a doctor" in page


def test_finger_sticks_are_points_in_range_with_their_n_and_never_time_in_range_or_gmi(console: Console) -> None:
    glucose_weeks(console.ward, 20)
    answer = console.sign_in("ada").get(url(console))
    page = text(answer)
    assert parts(answer) == [("glucose", "mg/dL", "yes")]
    assert "Points in range, 70 to 180 60.0 % (24 of 40)" in page
    assert "this is no time in range" in page
    assert "Below 70, of these below 54 2 and 1 of 40" in page
    assert "Low by week, the oldest first: 0, 0, 1, 1." in page
    assert "target of sensors (CGM-derived)" in page
    assert "Risk of low glucose (LBGI) 1.09 (minimal)" in page
    assert "GMI" not in page


def test_few_strips_are_counted_but_give_no_share_no_mean_and_no_index(console: Console) -> None:
    glucose_weeks(console.ward, 4)
    answer = console.sign_in("ada").get(url(console))
    page = text(answer)
    assert parts(answer) == [("glucose", "mg/dL", "no")]
    assert (
        "Points in range, mean, risk indices not enough 10 readings on 4 days; needed: 14 readings on 7 days." in page
    )
    assert "Below 70, of these below 54 1 and 0 of 10" in page
    assert "LBGI" not in page


def test_two_units_are_kept_apart_and_the_page_says_so(console: Console) -> None:
    glucose_weeks(console.ward, 20, end=NOW - timedelta(days=1))
    at = NOW - timedelta(minutes=5)
    store(console.ward, [(at, glucose("7.1", at, unit=Unit.MMOL_L))])
    answer = console.sign_in("ada").get(url(console))
    assert parts(answer) == [("glucose", "mmol/L", "no"), ("glucose", "mg/dL", "yes")]
    assert "Each unit is kept apart: nothing is converted." in text(answer)


def test_an_irregular_pulse_asks_for_an_ecg_and_names_no_illness(console: Console) -> None:
    pressure_weeks(console.ward, 20)
    page = text(console.sign_in("ada").get(url(console)))
    assert "Irregular pulse 10 of 78 readings in 30 days. Confirm with an ECG." in page
    assert "brillation" not in page


def test_adherence_is_of_the_patients_own_schedule(console: Console) -> None:
    expect(console.ward.admin, console.ward.patient_id, kind="blood_pressure", at="07:00")
    pressure_weeks(console.ward, 14)
    page = text(console.sign_in("ada").get(url(console)))
    assert "Measured as agreed 14 of 28 in 28 days (50.0 %) 13.5 readings a week; reference: 6." in page


def test_hi_is_a_word_at_the_edge_and_in_no_mean(console: Console) -> None:
    glucose_weeks(console.ward, 20)
    at = NOW - timedelta(hours=3)
    store(console.ward, [(at, glucose(None, at, state=QuantityState.ABOVE_RANGE))])
    answer = console.sign_in("ada").get(url(console))
    assert re.search(r'drawing__off"[^>]*>HI<', answer.text)
    assert "HI or LO: 1; no mean counts them." in text(answer)
    assert "60.0 % (24 of 40)" not in text(answer)


def test_before_and_after_a_change_the_same_figures_stand_for_equal_spans(console: Console) -> None:
    pressure_weeks(console.ward, 14, systolic=130)
    pressure_weeks(console.ward, 14, systolic=150, end=NOW - timedelta(days=14))
    ada = console.sign_in("ada")
    answer = ada.post(url(console), {"changed_on": "2026-11-08", "days": "14"})
    page = text(answer)
    assert answer.status_code == 200
    assert "Blood pressure (mmHg): equal spans of 14 days" in page
    assert "25 Oct 2026 to 7 Nov 2026" in page
    assert "8 Nov 2026 to 21 Nov 2026" in page
    [row] = re.findall(r"Average, the first day left out (\S+) (\S+) (\S+)", page)
    assert (row[0][:2], row[1][:2], row[2][:2]) == ("14", "12", "−2")


def test_a_noted_change_of_treatment_is_compared_with_one_press(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO treatment_change (patient_id, changed_on, what, why, noted_by, noted_at)"
        " VALUES (%s, '2026-11-08', 'lisinopril 10 mg', 'above target', %s, %s)",
        (console.ward.patient_id, console.accounts["ada"], NOW),
    )
    pressure_weeks(console.ward, 30)
    ada = console.sign_in("ada")
    answer = ada.get(url(console))
    assert "8 Nov 2026 lisinopril 10 mg above target · Ada Weiss" in text(answer)
    fields = dict(re.findall(r'<input type="hidden" name="(changed_on|days)" value="([^"]+)"', answer.text))
    assert "8 Nov 2026 to 21 Nov 2026" in text(ada.post(url(console), fields))


def test_a_side_without_enough_shows_no_figure_and_says_what_is_missing(console: Console) -> None:
    pressure_weeks(console.ward, 14)
    page = text(console.sign_in("ada").post(url(console), {"changed_on": "2026-11-08", "days": "14"}))
    assert "Not enough: 0 readings on 0 days" in page
    assert "Before: Missing: 12 readings, 3 days." in page
    assert re.search(r"Average, the first day left out – \S+ –", page)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"changed_on": "soon", "days": "14"}, "This is no date"),
        ({"changed_on": "2026-12-24", "days": "14"}, "This lies in the future"),
        ({"changed_on": "2006-11-01", "days": "14"}, "Is the year right?"),
        ({"changed_on": "2026-11-08", "again_from": "2026-11-01", "days": "14"}, "This is before the change."),
        ({"changed_on": "2026-11-08", "days": "13"}, "Choose one."),
        ({}, "This is no date"),
    ],
)
def test_a_change_that_cannot_be_looked_at_is_refused_in_words(
    console: Console, form: dict[str, str], said: str
) -> None:
    answer = console.sign_in("ada").post(url(console), form)
    assert answer.status_code == 422
    assert said in text(answer)


@pytest.mark.parametrize("login", ["eve", "sam", "carl", "asta"])
@pytest.mark.parametrize("rest", ["", "/report.pdf"])
def test_for_whoever_does_not_care_for_the_patient_the_page_does_not_exist(
    console: Console, login: str, rest: str
) -> None:
    assert console.sign_in(login).get(url(console, rest)).status_code == 404


def test_reading_the_review_is_audited_and_nothing_of_it_may_be_stored(console: Console) -> None:
    answer = console.sign_in("ada").get(url(console))
    assert answer.headers["cache-control"] == "no-store"
    assert console.ward.rows("SELECT action, patient_id FROM audit WHERE action = 'review.read'") == [
        ("review.read", console.ward.patient_id)
    ]


def test_readings_of_control_solution_count_nowhere(console: Console) -> None:
    glucose_weeks(console.ward, 20)
    at = NOW - timedelta(hours=4)
    store(console.ward, [(at, replace(glucose("300", at), sample=Sample.CONTROL_SOLUTION))])
    assert "60.0 % (24 of 40)" in text(console.sign_in("ada").get(url(console)))
