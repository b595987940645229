"""Alert budgets from the cases that there were: which count, over whose days, and who is told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from cloud.auth.models import Role
from cloud.db.connect import open_connection
from cloud.what_if import spending, store
from cloud.what_if.models import Load
from tests.cloud.made import NOW, Ward, new_patient
from tests.fix_console import Console

DAY = timedelta(days=1)


def open_case(ward: Ward, days_ago: float, *, patient_id: UUID | None = None, **columns: Any) -> None:
    """A case of whatever kind, resolved since."""
    row = {
        "patient_id": patient_id or ward.patient_id, "condition": "hyperglycaemia", "priority": "medium",
        "tier": "same_shift", "state": "resolved", "sentence": "", "reason": "{}", "opened_at": NOW - days_ago * DAY,
        "raised_at": NOW - days_ago * DAY, "deadline": NOW, "changed_at": NOW, "resolved_at": NOW, **columns,
    }  # fmt: skip
    names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, row))
    values = psycopg.sql.SQL(", ").join(map(psycopg.sql.Placeholder, row))
    ward.admin.execute(psycopg.sql.SQL("INSERT INTO alert_case ({}) VALUES ({})").format(names, values), row)


def count(ward: Ward) -> None:
    """What the jobs process does every ten minutes."""
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:
        spending.count(jobs, NOW)


async def loads(ward: Ward, days: int = 7) -> dict[str, Load]:
    """As the console reads them, just counted."""
    count(ward)
    async with await psycopg.AsyncConnection.connect(ward.database.console_url) as connection:
        return {load.programme_id: load for load in await store.loads(connection) if load.days == days}


async def test_every_case_that_a_person_works_counts_and_what_closed_by_itself_does_not(ward: Ward) -> None:
    for tier in ("emergency", "urgent", "same_shift", "routine", "retrospective"):
        open_case(ward, 3, tier=tier)
    open_case(ward, 3, closed_automatically="not_confirmed")
    open_case(ward, 8)
    found = (await loads(ward))["standard"]
    assert (found.cases, found.patient_days, found.budget, found.days) == (5, Decimal(7), Decimal("0.10"), 7)
    assert (await loads(ward, 28))["standard"].cases == 6


async def test_days_count_while_a_device_is_the_patients(ward: Ward) -> None:
    ward.admin.execute(
        "UPDATE device_assignment SET valid = tstzrange(%s, %s) WHERE patient_id = %s",
        (NOW - 10 * DAY, NOW - 5 * DAY, ward.patient_id),
    )
    new_patient(ward.admin, "Without a device")
    assert (await loads(ward))["standard"].patient_days == 2
    assert (await loads(ward, 28))["standard"].patient_days == 5


async def test_cases_and_days_belong_to_the_programme_that_the_patient_was_in(ward: Ward) -> None:
    ward.admin.execute(
        "INSERT INTO programme (programme_id, display_name, regimes, alert_budget) VALUES ('new', 'New', '{ada}', 0.3)"
    )
    ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid) VALUES (%s, 'new', tstzrange(%s, NULL))",
        (ward.patient_id, NOW - 2 * DAY),
    )
    open_case(ward, 1)
    open_case(ward, 3)
    open_case(ward, 4)
    found = await loads(ward)
    assert (found["new"].cases, found["new"].patient_days, found["new"].budget) == (1, Decimal(2), Decimal("0.3"))
    assert (found["standard"].cases, found["standard"].patient_days) == (2, Decimal(5))


async def test_days_count_from_the_activation_to_the_end(ward: Ward) -> None:
    on_the_way = new_patient(ward.admin, "On the way")
    ward.admin.execute("INSERT INTO device (device_id, manufacturer, model) VALUES ('lent', 'M', 'N')")
    ward.admin.execute(
        "INSERT INTO device_assignment (device_id, patient_id, valid) VALUES ('lent', %s, tstzrange(%s, NULL))",
        (on_the_way, NOW - 20 * DAY),
    )
    ward.admin.execute("INSERT INTO participation (patient_id, begun_at) VALUES (%s, %s)", (on_the_way, NOW - 20 * DAY))
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, begun_by, activated_at, activated_by, ended_at, ended_by,"
        " end_reason)"
        " VALUES (%(patient)s, %(begun)s, %(nurse)s, %(activated)s, %(nurse)s, %(ended)s, %(nurse)s, 'moved')",
        {
            "patient": ward.patient_id,
            "nurse": ward.nurse_id,
            "begun": NOW - 12 * DAY,
            "activated": NOW - 5 * DAY,
            "ended": NOW - 2 * DAY,
        },
    )
    assert (await loads(ward))["standard"].patient_days == 3
    ward.admin.execute("UPDATE participation SET activated_at = %s WHERE patient_id = %s", (NOW - DAY, on_the_way))
    assert (await loads(ward))["standard"].patient_days == 4
    assert (await loads(ward, 28))["standard"].patient_days == 4


@pytest.fixture
def spent(console: Console) -> Console:
    """A panel of twenty, each a week with a device, and 15 cases: 15 of 140 patient-days."""
    ward = console.ward
    for n in range(19):
        patient_id = new_patient(ward.admin, f"Patient {n}")
        ward.admin.execute("INSERT INTO device (device_id, manufacturer, model) VALUES (%s, 'M', 'N')", (f"d{n}",))
        ward.admin.execute(
            "INSERT INTO device_assignment (device_id, patient_id, valid) VALUES (%s, %s, tstzrange(%s, NULL))",
            (f"d{n}", patient_id, NOW - 100 * DAY),
        )
        if n < 15:
            open_case(ward, 2, patient_id=patient_id)
    ward.admin.execute("UPDATE account SET role = %s WHERE login = 'ben'", (Role.LEAD_NURSE.value,))
    count(ward)
    return console


def test_above_its_budget_a_programme_is_named_to_those_who_may_change_it(spent: Console) -> None:
    said = "Standard asks for more than its alert budget: 0.1071 cases per patient and day"
    for login, path in (("ben", "/worklist"), ("ben", "/patients"), ("ada", "/patients")):
        assert said in spent.sign_in(login).get(path).text
    assert "alert budget" not in spent.sign_in("nora").get("/worklist").text


def test_within_its_budget_nothing_is_said_above_the_worklist(spent: Console) -> None:
    spent.ward.admin.execute("UPDATE programme SET alert_budget = 0.11")
    assert "alert budget" not in spent.sign_in("ben").get("/worklist").text
    page = spent.sign_in("ada").get("/what-if").text
    assert "0.1071" in page
    assert "15 cases in 140" in page
    assert "above the budget" not in page
    assert "counted" in page


def test_of_a_few_days_no_ratio_is_given(console: Console) -> None:
    open_case(console.ward, 1)
    ada = console.sign_in("ada")
    assert "Not counted yet" in ada.get("/what-if").text
    count(console.ward)
    page = ada.get("/what-if").text
    assert "too little to say" in page
    assert "100 are needed" in page
