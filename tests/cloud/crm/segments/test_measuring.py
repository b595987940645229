"""The figures that segments go by are the review's, worked out by the jobs' own rights, anew as readings come."""

import asyncio
from datetime import datetime, timedelta

import psycopg
import pytest

from alerting.limits import Measure
from alerting.regimes import ESC_2024
from cloud.config import JobsSettings
from cloud.crm.segments import measuring
from cloud.jobs.desk import Desk
from cloud.jobs.measuring import measure_patients
from cloud.review import figures
from cloud.review import store as review
from cloud.review.models import Figures, GlucoseFigures, PressureFigures
from tests.cloud.crm.segments.made import lowered, measured
from tests.cloud.made import NOW, Ward, glucose, new_patient, pressure, sent
from tests.cloud.review.made import glucose_weeks, pressure_weeks

FIGURES = """SELECT control, systolic, diastolic, pressure_unit, pressure_on, glucose, glucose_unit, due, made,
                    last_reading_at FROM patient_measures"""


def reviewed(ward: Ward) -> tuple[Figures, ...]:
    """What the page of the review shows."""

    async def asked() -> tuple[Figures, ...]:
        async with await psycopg.AsyncConnection.connect(ward.database.admin_url) as conn:
            stored = await review.stored(conn, ward.patient_id, NOW - timedelta(days=93), NOW)
        return figures.figures_of(stored, ESC_2024, NOW)

    return asyncio.run(asked())


@pytest.mark.parametrize(("systolic", "control"), [(118, "controlled"), (150, "not_controlled")])
def test_they_are_those_of_the_review(ward: Ward, systolic: int, control: str) -> None:
    assert (measuring.GLUCOSE_DAYS, measuring.ADHERENCE_DAYS) == (figures.GLUCOSE_DAYS, figures.ADHERENCE_DAYS)
    pressure_weeks(ward, 20, systolic=systolic)
    lowered(ward)
    glucose_weeks(ward, 20)
    ward.admin.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, before, after, valid)"
        " VALUES (%s, 'blood_pressure', '07:00', '1 hour', '1 hour', '[2026-11-10 00:00+01,)')",
        (ward.patient_id,),
    )
    cuff, meter = reviewed(ward)
    assert isinstance(cuff, PressureFigures)
    assert isinstance(meter, GlucoseFigures)
    assert cuff.adherence is not None
    assert meter.summary.figures is not None
    measured(ward)
    [row] = ward.rows(FIGURES)
    assert cuff.controlled is (control == "controlled")
    average = cuff.average.figures
    assert row == (
        control, average[Measure.SYSTOLIC], average[Measure.DIASTOLIC], "mm[Hg]", cuff.average.last_day,
        meter.summary.figures.mean, "mg/dL", cuff.adherence.due, cuff.adherence.made,
        datetime.fromisoformat("2026-11-21T06:01Z"),
    )  # fmt: skip


def test_what_is_not_enough_is_said_so_and_has_no_figure(ward: Ward) -> None:
    ward.receive(sent(pressure("150", at=NOW - timedelta(hours=2))), sent(glucose("300", at=NOW - timedelta(hours=1))))
    ward.admin.execute("INSERT INTO programme (programme_id, display_name, regimes) VALUES ('g', 'G', '{ada}')")
    other = new_patient(ward.admin, "Boris Sample")
    ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid) VALUES (%s, 'g', '[2026-01-01,)')", (other,)
    )
    measured(ward)
    rows = ward.rows("SELECT control, systolic, glucose, last_reading_at FROM patient_measures ORDER BY 4")
    assert rows == [("not_enough", None, None, NOW - timedelta(hours=1)), ("no_target", None, None, None)]


def test_a_figure_of_long_ago_is_none_and_the_last_reading_is_still_known(ward: Ward) -> None:
    pressure_weeks(ward, 10, end=NOW - timedelta(days=100))
    measured(ward)
    [(control, systolic, last)] = ward.rows("SELECT control, systolic, last_reading_at FROM patient_measures")
    assert (control, systolic, last.date()) == ("not_enough", None, (NOW - timedelta(days=100)).date())
    measured(ward, NOW + timedelta(days=1))
    assert ward.rows("SELECT last_reading_at FROM patient_measures") == [(last,)]


def test_whoever_measured_since_is_worked_out_again_and_nobody_else(ward: Ward) -> None:
    new_patient(ward.admin, "Boris Sample")
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    desk.pool.open()
    try:
        assert measure_patients(desk, all_of_them=False) == 2, "nothing was worked out yet"
        ward.admin.execute("UPDATE patient_measures SET counted_at = clock_timestamp() + interval '1 hour'")
        assert measure_patients(desk, all_of_them=False) == 0
        ward.receive(sent(pressure("150", at=NOW - timedelta(minutes=5))))
        ward.admin.execute("UPDATE patient_measures SET counted_at = clock_timestamp() - interval '1 hour'")
        assert measure_patients(desk, all_of_them=False) == 1
        assert measure_patients(desk, all_of_them=True) == 2
    finally:
        desk.pool.close()
