"""Advice from a draft to the patient's page: approved by another, given by a rule, once in a while, logged as read."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.crm.advice.judging import advise
from cloud.crm.advice.models import Measure, Relation, Rule
from cloud.crm.advice.rules import mean_beyond
from deploy.receivers.gateways import Gateway
from device_drivers.nomenclature import Unit
from tests.cloud.crm.made import Reaching, reaching
from tests.cloud.made import NOW, glucose, pressure, sent
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

DRAFT = {
    "name": "salt", "measure": "systolic", "relation": "at_or_above", "bound": "135", "unit": "mm[Hg]",
    "text_en": "Less salt may help.", "text_ru": "Помогает меньше соли.", "text_zh": "少盐有益。",
}  # fmt: skip
RULE = Rule(measure=Measure.SYSTOLIC, relation=Relation.AT_OR_ABOVE, bound=Decimal(135), unit="mm[Hg]")


@pytest.fixture
def told(console: Console, phone_gateway: Gateway) -> Iterator[Reaching]:
    with reaching(console.ward, phone_gateway) as made:
        made.agree()
        yield made


def in_force(console: Console) -> None:
    assert console.sign_in("nora").post("/advice", DRAFT).status_code == 303
    [(snippet_id,)] = console.ward.rows("SELECT snippet_id FROM advice_snippet WHERE approved_at IS NULL")
    assert console.sign_in("ada").post(f"/advice/{snippet_id}/approve").status_code == 303


def week(console: Console, systolic: str, readings: int = 6) -> None:
    of = [pressure(systolic, at=NOW - timedelta(hours=20 * n + 1)) for n in range(readings)]
    console.ward.receive(sent(*of))


def test_what_was_approved_is_given_once_by_the_rule_and_read_on_the_patients_page(
    console: Console, told: Reaching, phone_gateway: Gateway
) -> None:
    week(console, "141")
    assert advise(told.jobs, NOW) == 0, "nothing is approved"
    in_force(console)
    assert [advise(told.jobs, NOW), advise(told.jobs, NOW), advise(told.jobs, NOW + timedelta(days=1))] == [1, 0, 0]
    told.look()
    assert told.states() == [("advice", "sent", None)]
    assert phone_gateway.requests[0].body.decode().endswith('/me/advice"}')
    assert console.ward.rows("SELECT mean, readings, read_at FROM advice_given") == [(Decimal("141.0"), 6, None)]
    console.ward.admin.execute("UPDATE account SET language = 'zh' WHERE login = 'asta'")
    assert "少盐有益。" in text(console.sign_in("asta").get("/me/advice"))
    assert console.ward.rows("SELECT read_at FROM advice_given") == [(NOW,)]
    page = text(console.sign_in("nora").get(f"/patients/{console.ward.patient_id}"))
    assert "Less salt may help. · Systolic pressure: 141.0 mmHg (6 readings) · opened 21 Nov, 13:00" in page


def test_a_bound_holds_for_meters_of_the_other_unit_and_what_is_read_is_told_to_nobody(
    console: Console, told: Reaching
) -> None:
    nora = console.sign_in("nora")
    nora.post("/advice", {**DRAFT, "measure": "glucose", "bound": "180", "unit": "mg/dL"})
    console.ward.admin.execute("UPDATE advice_snippet SET approved_by = %s, approved_at = now()", (told.ward.nurse_id,))
    # 180 mg/dL is 10.0 mmol/L. Readings of two days on her calendar, which are three in UTC.
    two_days = [
        datetime(2026, 11, day, hour, tzinfo=UTC) for day, hour in ((18, 23), (19, 9), (19, 12), (20, 8), (20, 9))
    ]
    console.ward.receive(
        sent(*[glucose("10.2", at, unit=Unit.MMOL_L) for at in (*two_days, two_days[3] + timedelta(hours=4))])
    )
    assert advise(told.jobs, NOW) == 0
    console.ward.receive(sent(glucose("9.3", NOW - timedelta(hours=1), unit=Unit.MMOL_L)))
    assert advise(told.jobs, NOW) == 1
    assert console.ward.rows("SELECT mean, unit, readings FROM advice_given") == [(Decimal("10.1"), "mmol/L", 7)]
    console.sign_in("asta").get("/me/advice")
    told.look()
    assert told.states() == [("advice", "withdrawn", "needless")]


@pytest.mark.parametrize(("systolic", "readings"), [("134", 6), ("150", 5)])
def test_below_the_bound_or_of_too_few_readings_nothing_is_given(
    console: Console, told: Reaching, systolic: str, readings: int
) -> None:
    in_force(console)
    week(console, systolic, readings)
    assert advise(told.jobs, NOW) == 0


def test_in_hospital_no_advice_is_given(console: Console, told: Reaching) -> None:
    in_force(console)
    week(console, "150")
    console.sign_in("nora").post(f"/patients/{console.ward.patient_id}/follow-ups/hospital", {"there": "yes"})
    assert advise(told.jobs, NOW) == 0


def test_nobody_approves_what_they_wrote_and_only_a_doctor_approves(console: Console) -> None:
    ada, nora = console.sign_in("ada"), console.sign_in("nora")
    ada.post("/advice", DRAFT)
    [(snippet_id,)] = console.ward.rows("SELECT snippet_id FROM advice_snippet")
    assert ada.post(f"/advice/{snippet_id}/approve").status_code == 404
    assert nora.post(f"/advice/{snippet_id}/approve").status_code == 404
    assert "draft" in text(nora.get("/advice"))


def test_a_new_version_takes_the_place_of_the_former_when_it_is_approved(console: Console) -> None:
    in_force(console)
    in_force(console)
    rows = console.ward.rows("SELECT version, withdrawn_at IS NULL FROM advice_snippet ORDER BY version")
    assert rows == [(1, False), (2, True)]


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [("name", "A b", "Use small letters"), ("bound", "x", "This is no number."), ("text_zh", "", "This is needed."),
     ("unit", "mg/dL", "mmHg")],
)  # fmt: skip
def test_what_cannot_be_a_draft_is_said_at_its_field(console: Console, field: str, typed: str, said: str) -> None:
    answer = console.sign_in("nora").post("/advice", {**DRAFT, field: typed})
    assert answer.status_code == 422
    assert said in answer.text
    assert console.ward.count("advice_snippet") == 0


@given(st.lists(st.tuples(st.dates(date(2026, 1, 1), date(2026, 1, 7)), st.decimals(60, 260, places=0)), max_size=30))
def test_a_mean_speaks_only_of_enough_readings_and_lies_among_them(readings: list[tuple[date, Decimal]]) -> None:
    mean = mean_beyond(RULE, readings)
    if mean is None:
        return
    assert len(readings) >= 6
    assert len({day for day, _ in readings}) >= 3
    assert mean.value >= 135
    assert min(value for _, value in readings) <= mean.value <= max(value for _, value in readings)
