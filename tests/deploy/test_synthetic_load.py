"""Loading a synthetic population: patients, schedules and readings as devices show them, once."""

from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerting.synthetic.calendars import calendar
from alerting.synthetic.population import population
from alerting.synthetic.truth import PatientYear
from cloud.db.connect import open_connection
from cloud.what_if.histories import histories_of
from deploy.synthetic import __main__ as synthetic
from deploy.synthetic.load import Loaded, LoginUnknown, load
from deploy.synthetic.staff import employ
from tests.cloud.made import Ward

ZONE = "Europe/Berlin"


def years(patients: int = 12) -> list[PatientYear]:
    """40 days, some with cuffs and some with meters."""
    over = calendar(date(2026, 9, 1), 40, ZoneInfo(ZONE))
    return list(population(np.random.default_rng(3), patients, over))


def loaded(ward: Ward, patients: int = 12, login: str | None = None) -> list[Loaded]:
    """What was told while it was loaded, and the end."""
    told: list[Loaded] = []
    told.append(load(ward.database.admin_url, iter(years(patients)), ZONE, login, told.append))
    return told


def test_what_is_loaded_is_what_was_made(ward: Ward) -> None:
    made = years()
    assert loaded(ward)[-1] == Loaded(12, sum(len(year.received) for year in made))
    stored = {name: patient_id for patient_id, name in ward.rows("SELECT patient_id, display_name FROM patient")}
    with open_connection(ward.database.jobs_url, "test jobs", autocommit=True) as jobs:
        for year in made:
            patient_id = stored[f"Synthetic {year.number:06}"]
            [(_, history)] = histories_of(jobs, [patient_id], year.history.end + timedelta(days=9), 40)
            _same(history.series[0].window, year.history.series[0].window)
            assert (history.series[0].received == year.received).all()
            assert history.heightened_until == year.history.heightened_until
            [[schedule], [slots]] = history.schedules, [of.slots for of in year.history.schedules]
            assert (schedule.kind, set(schedule.slots)) == (year.history.schedules[0].kind, set(slots))


def _same(one: object, other: object) -> None:
    """Every column, devices aside: there a number tells them apart."""
    names = [name for name in type(one).__dataclass_fields__ if name not in ("unit", "devices")]  # type: ignore[attr-defined]
    for name in names:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_figures_are_stored_as_devices_show_them(ward: Ward) -> None:
    loaded(ward, 40)
    digits = ward.rows(
        "SELECT unit, min(scale(value)), max(scale(value)) FROM glucose_observation WHERE value IS NOT NULL GROUP BY 1"
        " UNION ALL SELECT unit, min(scale(systolic)), max(scale(diastolic)) FROM blood_pressure_observation GROUP BY 1"
    )
    assert sorted(digits) == [("kPa", 1, 1), ("mg/dL", 0, 0), ("mm[Hg]", 0, 0), ("mmol/L", 1, 1)]
    [(samples,)] = ward.rows("SELECT count(DISTINCT sample) FROM glucose_observation")
    assert samples > 1


def test_what_is_there_already_stays_and_the_rest_follows(ward: Ward) -> None:
    first, again, more = loaded(ward, 4)[-1], loaded(ward, 4)[-1], loaded(ward, 12)[-1]
    assert (first.patients, again, more.patients) == (4, Loaded(4, 0), 12)
    assert ward.rows("SELECT count(*) FROM patient WHERE display_name LIKE 'Synthetic%'") == [(12,)]
    [(readings, ids)] = ward.rows(
        "SELECT count(*), count(DISTINCT reading_id) FROM (SELECT reading_id FROM glucose_observation UNION ALL"
        " SELECT reading_id FROM blood_pressure_observation) x"
    )
    assert readings == ids == first.readings + more.readings


def test_somebody_cares_for_them(ward: Ward) -> None:
    loaded(ward, 3, "nurse")
    assert ward.rows("SELECT account_id, count(*) FROM care_team GROUP BY 1") == [(ward.nurse_id, 3)]
    with pytest.raises(LoginUnknown, match="nobody has the login 'nobody'"):
        loaded(ward, 3, "nobody")


def test_the_command_tells_how_far_it_is(
    ward: Ward, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PULSEPOST_DATABASE_ADMIN_URL", ward.database.admin_url)
    assert synthetic.main(["--load", "--patients", "3", "--days", "10"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("loaded 3 patients and ")
    assert "\r3 of 3 patients, " in printed.err
    assert synthetic.main(["--load", "--patients", "3", "--days", "10", "--care-team", "nobody"]) == 2
    assert "--care-team: nobody has the login 'nobody'" in capsys.readouterr().err
    monkeypatch.delenv("PULSEPOST_DATABASE_ADMIN_URL")
    assert synthetic.main(["--load"]) == 2
    assert "PULSEPOST_DATABASE_ADMIN_URL" in capsys.readouterr().err


def test_each_reading_is_in_the_ledger_and_counted_for_its_device(ward: Ward) -> None:
    loaded(ward)
    ward.admin.execute(
        "CREATE TEMP VIEW stored AS SELECT reading_id, device_id FROM glucose_observation"
        " UNION ALL SELECT reading_id, device_id FROM blood_pressure_observation"
    )
    assert ward.rows("SELECT * FROM stored EXCEPT SELECT reading_id, device_id FROM ledger") == []
    miscounted = (
        "SELECT device_id FROM device JOIN stored USING (device_id)"
        " GROUP BY 1, readings_known HAVING count(*) <> readings_known"
    )
    assert ward.rows(miscounted) == []
    assert ward.rows("SELECT count(*) FROM ledger") == [(sum(len(year.received) for year in years()),)]


def test_a_staff_has_the_patients_and_their_cases(ward: Ward) -> None:
    made = years(160)
    with open_connection(ward.database.admin_url, "test") as connection:
        staff = employ(connection, 160)
    load(ward.database.admin_url, iter(made), ZONE, None, lambda _: None, staff)
    assert ward.rows(
        "SELECT a.login, count(*) FROM care_team JOIN account a USING (account_id) GROUP BY 1 ORDER BY 1"
    ) == [
        ("synthetic-doctor-001", 160),
        ("synthetic-lead-nurse-001", 160),
        ("synthetic-nurse-001", 150),
        ("synthetic-nurse-002", 10),
    ]
    [(open_cases, closed, elsewhere)] = ward.rows(
        "SELECT count(*) FILTER (WHERE next_at IS NOT NULL), count(*) FILTER (WHERE disposition IS NOT NULL),"
        " count(*) FILTER (WHERE owner IS NOT NULL AND NOT EXISTS (SELECT FROM care_team t"
        " WHERE t.patient_id = c.patient_id AND t.account_id = c.owner)) FROM alert_case c"
    )
    assert open_cases > 0
    assert closed > open_cases
    assert elsewhere == 0
    assert ward.rows(
        "SELECT count(*) FROM alert a LEFT JOIN ledger l USING (reading_id)"
        " WHERE a.reading_id IS NOT NULL AND l.reading_id IS NULL"
    ) == [(0,)]


def test_a_staff_that_is_there_keeps_its_password(ward: Ward) -> None:
    with open_connection(ward.database.admin_url, "test") as connection:
        first, again = employ(connection, 300), employ(connection, 300)
    assert (len(first.nurses), first.password is None) == (2, False)
    assert again == replace(first, password=None)
