"""Figures of a real database: counted by the jobs' own rights, read by a lead nurse who cares for nobody, exported."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import arro3.core as arrow
from arro3.io import read_parquet

from alerting.tiers import Tier
from cloud.config import JobsSettings
from cloud.jobs.counting_figures import count_all
from cloud.jobs.desk import Desk
from tests.cloud.crm.figures.made import cohort, counted, leading, worked_case
from tests.cloud.made import NOW, Ward
from tests.cloud.planning.test_routes import text
from tests.fix_console import Console

DAYS = timedelta(days=1)


def test_a_month_of_everybody_is_counted_by_the_rules_that_the_pages_go_by(ward: Ward) -> None:
    patients = cohort(ward, 6, controlled=4)
    ward.admin.execute("INSERT INTO programme (programme_id, display_name, regimes) VALUES ('aha', 'AHA', '{aha2025}')")
    for patient_id in patients[3:]:
        ward.admin.execute(
            "INSERT INTO patient_programme (patient_id, programme_id, valid) VALUES (%s, 'aha', '[2026-01-01,)')",
            (patient_id,),
        )
    # Of the first patient a measurement is due each morning at 07:00 and each noon: the mornings were made.
    for at in ("07:00", "12:00"):
        ward.admin.execute(
            "INSERT INTO measurement_slot (patient_id, kind, at, before, after, valid)"
            " VALUES (%s, 'blood_pressure', %s, '1 hour', '1 hour', '[2026-11-10 00:00+01,)')",
            (patients[0], at),
        )
    worked_case(ward, patients[0], ward.nurse_id, Tier.URGENT, NOW - DAYS, 1, 2)
    counted(ward)
    rows = ward.rows(
        "SELECT programme_id, month::text, patients, measured, averaged, controlled, scheduled, due, made, cases"
        " FROM figures_month WHERE month = '2026-11-01' ORDER BY 1"
    )
    # 112/74 in the mean is below 130/80 of the one and below 135/85 of the other; 142/88 is below neither.
    assert rows == [
        ("aha", "2026-11-01", 3, 3, 3, 1, 0, 0, 0, 0),
        ("standard", "2026-11-01", 4, 4, 4, 3, 1, 22, 11, 1),
    ]


def test_the_month_before_is_counted_until_all_that_was_due_in_it_is_settled_and_then_stays(ward: Ward) -> None:
    cohort(ward, 1, controlled=0, days=40)
    night = datetime(2026, 11, 1, 3, 20, tzinfo=UTC)
    nights = iter([night, night + DAYS, night + 2 * DAYS, NOW])
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: next(nights))
    desk.pool.open()
    try:
        # In the first night the last half day of October can still be made up for.
        assert [count_all(desk) for _ in range(4)] == [2, 2, 1, 1]
    finally:
        desk.pool.close()
    assert ward.rows("SELECT month::text, patients, measured FROM figures_month ORDER BY 1") == [
        ("2026-10-01", 2, 2),
        ("2026-11-01", 2, 2),
    ]


def test_whom_nobody_watches_and_training_patients_are_in_no_figure(ward: Ward) -> None:
    cohort(ward, 2, controlled=0)
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at) SELECT patient_id, %s FROM patient"
        " WHERE display_name = 'Person 0'",
        (NOW,),
    )
    ward.admin.execute("INSERT INTO patient (display_name, time_zone, training) VALUES ('TRAINING A', 'UTC', true)")
    counted(ward)
    assert ward.rows("SELECT patients FROM figures_month WHERE month = '2026-11-01'") == [(2,)]


def test_what_was_due_or_measured_before_an_activation_counts_nowhere(ward: Ward) -> None:
    [person] = cohort(ward, 1, controlled=0)
    ward.admin.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, before, after, valid)"
        " VALUES (%s, 'blood_pressure', '07:00', '1 hour', '1 hour', '[2026-11-10 00:00+01,)')",
        (person,),
    )
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at)"
        " VALUES (%s, '2026-11-01 00:00+01', '2026-11-16 00:00+01')",
        (person,),
    )
    counted(ward)
    [(expected,)] = ward.admin.execute(
        "SELECT count(*) FROM blood_pressure_observation WHERE effective_time >= '2026-11-01 00:00Z'"
        " AND (patient_id <> %s OR effective_time >= '2026-11-16 00:00+01')",
        (person,),
    ).fetchall()
    found = ward.rows("SELECT patients, due, made, readings FROM figures_month WHERE month = '2026-11-01'")
    assert found == [(2, 5, 5, expected)]


def test_a_lead_nurse_reads_how_the_centre_does_and_of_nobody_in_particular(
    console: Console, password_hash: str
) -> None:
    ward, lena = console.ward, leading(console, password_hash)
    nora = console.accounts["nora"]
    patients = cohort(ward, 5, controlled=3)
    for n, patient_id in enumerate(patients):
        worked_case(ward, patient_id, nora, Tier.URGENT, NOW - (n + 1) * DAYS, 4 + n, 70)
    worked_case(ward, ward.patient_id, nora, Tier.EMERGENCY, NOW - DAYS, 1, 2)
    _appointments(ward, patients)
    ward.admin.execute(
        "INSERT INTO duty_shift (role, account_id, weekday, starts, ends, first_day, set_at)"
        " SELECT 'nurse', %s, n, '07:00', '19:00', '2026-11-01', %s FROM generate_series(0, 6) AS n",
        (nora, NOW),
    )
    counted(ward)
    page = text(lena.get("/figures"))
    assert "Months are those of the site’s clock: UTC" in page
    # The emergency alone would be one person's: it is told together with the others, all of them with n.
    assert "Emergency, Urgent 5 min 7 min 6 0 of 6" in page, page
    assert "1 h 10 min 1 h 10 min 6 5 of 6" in page
    assert "Nora Quist Nurse 07:00–19:00 21" in page
    assert "50.0 % (n 6)" in page, "3 of 6 are controlled"
    assert "At the clinic 1, 20.0 % 5" in page
    for name in ("Person 0", "Asta"):
        assert name not in page
    assert "No case was opened" in text(lena.get("/figures?since=2026-09&until=2026-09"))


def test_what_is_exported_says_the_same_by_ids_and_has_no_names(console: Console, password_hash: str) -> None:
    ward, lena = console.ward, leading(console, password_hash)
    canary = "Canary"
    patients = cohort(ward, 5, controlled=3)
    ward.admin.execute("UPDATE patient SET display_name = %s || left(patient_id::text, 4)", (canary,))
    ward.admin.execute("UPDATE account SET display_name = %s WHERE login = 'nora'", (f"=HYPERLINK({canary})",))
    for n, patient_id in enumerate(patients):
        worked_case(ward, patient_id, console.accounts["nora"], Tier.URGENT, NOW - n * DAYS, 4, 70)
    counted(ward)
    answer = lena.get("/figures.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="pulsepost-figures-2026-11-2026-11.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    [controlled] = [row for row in rows if row["figure"] == "controlled"]
    assert (controlled["programme"], controlled["n"], controlled["value"]) == ("standard", "6", "50.0")
    [acknowledged] = [row for row in rows if row["figure"] == "time_to_acknowledge_p50"]
    assert (acknowledged["tier"], acknowledged["n"], acknowledged["value"], acknowledged["unit"]) == (
        "urgent", "5", "4.0", "min",
    )  # fmt: skip
    octets = lena.get("/figures.parquet").content
    table = arrow.Table.from_arrow(read_parquet(io.BytesIO(octets)))
    assert table.column_names == list(rows[0])
    assert [str(figure) for figure in table["figure"].to_pylist()] == [row["figure"] for row in rows]
    assert table["value"].to_pylist() == [float(row["value"]) if row["value"] else None for row in rows]
    for file in (answer.content, octets):
        assert canary.encode() not in file
        assert not any(str(patient_id).encode() in file for patient_id in [*patients, ward.patient_id])
    actions = [action for (action,) in ward.rows("SELECT action FROM audit WHERE action ~ '^figures'")]
    assert actions == ["figures.export", "figures.export"]


def test_figures_of_everybody_are_not_for_whoever_cares_for_some(console: Console) -> None:
    console.ward.admin.execute(
        "INSERT INTO figures_month VALUES ('2026-11-01', 'standard', 50, 50, 50, 25, 0, 0, 0, 9, 9, %s)", (NOW,)
    )
    assert "50.0 % (n 50)" in text(console.sign_in("adam").get("/figures"))
    for login in ("nora", "ada", "carl", "sam", "asta"):
        person = console.sign_in(login)
        for path in ("/figures", "/figures.csv", "/figures.parquet"):
            assert person.get(path).status_code == 404


def test_months_that_cannot_be_read_and_too_many_of_them_are_this_months_and_two_years(
    console: Console,
) -> None:
    adam = console.sign_in("adam")
    for asked, shown in (
        ({"since": "soon", "until": "2026-13"}, "Figures: 2026-11"),
        ({"since": "2020-01", "until": "2026-11"}, "Figures: 2024-12 – 2026-11"),
        ({"since": "2026-11", "until": "2026-09"}, "Figures: 2026-09 – 2026-11"),
        ({"since": "9999-12", "until": ""}, "Figures: 2026-11"),
        ({"since": "2027-05", "until": "2027-06"}, "Figures: 2026-11"),
    ):
        answer = adam.get("/figures", params=asked)
        assert answer.status_code == 200
        assert shown in text(answer), asked


def _appointments(ward: Ward, patients: Sequence[UUID]) -> None:
    for n, patient_id in enumerate(patients):
        ward.admin.execute(
            "INSERT INTO appointment (patient_id, seen_by, way, starts_at, ends_at, state, booked_at, changed_at)"
            " VALUES (%s, %s, 'clinic', %s, %s, %s, %s, %s)",
            (patient_id, ward.nurse_id, NOW - (n + 1) * DAYS, NOW - (n + 1) * DAYS + timedelta(hours=1),
             "no_show" if n == 0 else "took_place", NOW - 9 * DAYS, NOW),
        )  # fmt: skip
