"""Stored readings as histories: what the rules see is what the devices said."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.adherence import Pause, Slot
from alerting.histories import History
from alerting.windows import aware, instant
from cloud.db.connect import open_connection
from cloud.what_if.histories import RUN_IN_DAYS, histories_of, local_times
from cloud.zones.store import move
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind
from device_drivers.wall_clocks import Stay, Zones
from tests.cloud.made import NOW, Ward, expect, new_patient
from tests.cloud.what_if.made import store_glucose, store_pressure

DAY = timedelta(days=1)


def history(ward: Ward, days: int = 28) -> History:
    """Of the ward's patient, as the jobs process reads it."""
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:
        [(patient_id, found)] = histories_of(jobs, [ward.patient_id], NOW, days)
    assert patient_id == ward.patient_id
    return found


def test_a_cuffs_readings_are_one_series_for_each_unit_in_order_of_measurement(ward: Ward) -> None:
    for n, (systolic, unit) in enumerate([(150.0, "mm[Hg]"), (17.3, "kPa"), (140.0, "mm[Hg]")]):
        store_pressure(ward.admin, ward.patient_id, NOW - (n + 1) * DAY, systolic, 9.5, unit=unit)
    kpa, mmhg = history(ward).pressure
    assert (kpa.window.unit, mmhg.window.unit) == (Unit.KPA, Unit.MM_HG)
    assert kpa.window.systolic.tolist() == [17.3]
    assert mmhg.window.systolic.tolist() == [140.0, 150.0]
    assert [aware(at) for at in mmhg.window.times] == [NOW - 3 * DAY, NOW - DAY]
    later = timedelta(seconds=30)
    assert [aware(at) for at in mmhg.received] == [NOW - 3 * DAY + later, NOW - DAY + later]


def test_flags_devices_and_failed_measurements_are_seen(ward: Ward) -> None:
    at = NOW - DAY
    store_pressure(ward.admin, ward.patient_id, at, 130, annotations=("irregular_pulse",))
    store_pressure(ward.admin, ward.patient_id, at + timedelta(minutes=1), 131, annotations=("body_movement",))
    store_pressure(ward.admin, ward.patient_id, at + timedelta(minutes=2), None, None, state="not_a_number")
    store_pressure(
        ward.admin, ward.patient_id, at + timedelta(minutes=3), None, None, state="above_range", device_id="2"
    )
    store_pressure(ward.admin, ward.patient_id, at + timedelta(minutes=4), 132, sample="test")
    [series] = history(ward).pressure
    assert series.window.irregular.tolist() == [True, False, False, False]
    assert series.window.moved.tolist() == [False, True, False, False]
    assert np.array_equal(series.window.systolic, [130, 131, np.nan, np.inf], equal_nan=True)
    assert [device == series.window.devices[0] for device in series.window.devices] == [True, True, True, False]


def test_strips_keep_hi_lo_control_solution_and_fasting_and_ketones_stay_apart(ward: Ward) -> None:
    for n, (value, state, sample, meal) in enumerate(
        [
            (100, "measured", "patient", "fasting"),
            (None, "above_range", "patient", None),
            (None, "below_range", "patient", "breakfast"),
            (48, "measured", "control_solution", None),
            (None, "not_a_number", "patient", None),
        ]
    ):
        at = NOW - DAY + n * timedelta(hours=1)
        store_glucose(ward.admin, ward.patient_id, at, value, state=state, sample=sample, meal=meal)
    store_glucose(ward.admin, ward.patient_id, NOW - DAY, 1.7, unit="mmol/L", table="ketone_observation")
    found = history(ward)
    [strips], [ketone] = found.glucose, found.ketone
    assert np.array_equal(strips.window.values, [100, np.inf, -np.inf, 48, np.nan], equal_nan=True)
    assert strips.samples.tolist() == [0, 0, 0, 1, 0]
    assert strips.window.fasting.tolist() == [True, False, False, False, False]
    assert (ketone.window.unit, ketone.window.values.tolist()) == (Unit.MMOL_L, [1.7])
    assert found.readings == 6


def test_a_month_runs_in_and_what_is_older_is_left_out(ward: Ward) -> None:
    for days in (1, 27, 29, 57, 59):
        store_glucose(ward.admin, ward.patient_id, NOW - days * DAY, 100)
    found = history(ward)
    assert (found.days, found.run_in, found.days_counted) == (28 + RUN_IN_DAYS, RUN_IN_DAYS, 28)
    assert len(found.glucose[0].window) == 4
    assert found.readings == 2
    assert found.end == NOW


def test_what_was_measured_before_the_activation_is_left_out_and_its_days_are_not_counted(ward: Ward) -> None:
    expect(ward.admin, ward.patient_id)
    ward.admin.execute(
        "INSERT INTO participation (patient_id, begun_at, activated_at) VALUES (%s, %s, %s)",
        (ward.patient_id, NOW - 40 * DAY, NOW - 10 * DAY),
    )
    for days in (1, 9, 11, 27):
        store_glucose(ward.admin, ward.patient_id, NOW - days * DAY, 100)
        store_glucose(ward.admin, ward.patient_id, NOW - days * DAY, 0.4, unit="mmol/L", table="ketone_observation")
        store_pressure(ward.admin, ward.patient_id, NOW - days * DAY, 140)
    found = history(ward)
    assert [len(series.window) for series in found.series] == [2, 2, 2]
    assert (found.counted_from, found.days_counted, found.readings) == (NOW - 10 * DAY, 10, 6)
    assert [schedule.since for schedule in found.schedules] == [NOW - 10 * DAY]


def test_another_patients_readings_stay_theirs(ward: Ward) -> None:
    other = new_patient(ward.admin, "Other")
    store_glucose(ward.admin, ward.patient_id, NOW - DAY, 100)
    store_glucose(ward.admin, other, NOW - DAY, 55)
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:
        found = dict(histories_of(jobs, [ward.patient_id, other], NOW, 28))
    assert found[ward.patient_id].glucose[0].window.values.tolist() == [100]
    assert found[other].glucose[0].window.values.tolist() == [55]


def test_slots_and_pauses_become_schedules_that_end_when_they_ended(ward: Ward) -> None:
    for at, begins, ends in ((time(8), NOW - 400 * DAY, NOW - 10 * DAY), (time(9), NOW - 10 * DAY, None)):
        ward.admin.execute(
            "INSERT INTO measurement_slot (patient_id, kind, at, weekdays, valid)"
            " VALUES (%s, 'glucose', %s, '{0,2}', tstzrange(%s, %s))",
            (ward.patient_id, at, begins, ends),
        )
    ward.admin.execute(
        "INSERT INTO measurement_pause (patient_id, valid, reason) VALUES (%s, tstzrange(%s, %s), 'on holiday')",
        (ward.patient_id, NOW - 5 * DAY, NOW - 3 * DAY),
    )
    old, new = history(ward).schedules
    holiday = Pause(start=NOW - 5 * DAY, end=NOW - 3 * DAY)
    assert old.kind is Kind.GLUCOSE
    assert old.slots == (Slot(at=time(8), weekdays=frozenset({0, 2})),)
    assert old.since == NOW - (28 + RUN_IN_DAYS) * DAY
    assert old.pauses == (holiday, Pause(start=NOW - 10 * DAY, end=None))
    assert (new.since, new.pauses) == (NOW - 10 * DAY, (holiday,))


def test_a_heightened_period_that_is_over_was_one_then(ward: Ward) -> None:
    ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
        " VALUES (%s, 'standard', tstzrange(%s, NULL), %s)",
        (ward.patient_id, NOW - 30 * DAY, NOW - 16 * DAY),
    )
    assert history(ward).heightened_until == NOW - 16 * DAY


def test_the_wall_clock_is_that_of_where_the_patient_lived(ward: Ward) -> None:
    move(ward.admin, ward.patient_id, "America/New_York", NOW - 2 * DAY)
    for days in (3, 1):
        store_glucose(ward.admin, ward.patient_id, NOW - days * DAY, 100)
    [strips] = history(ward).glucose
    shown = [moment.isoformat() for moment in strips.window.local.tolist()]
    assert shown == ["2026-11-18T13:00:00", "2026-11-20T07:00:00"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"])
def test_columns_of_times_show_what_each_time_by_itself_shows(zone: str) -> None:
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    moments = [begin + n * timedelta(minutes=437) for n in range(900)]
    shown = local_times(np.array([instant(moment) for moment in moments]), Zones(ZoneInfo(zone)))
    assert shown.tolist() == [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments]


def test_a_zone_that_nobody_knows_is_utc() -> None:
    moment = instant(NOW)
    zones = Zones(None, [Stay(None, NOW, None)])
    assert local_times(np.array([moment]), zones).tolist() == [NOW.replace(tzinfo=None)]
    assert len(local_times(np.array([], dtype="datetime64[us]"), zones)) == 0
