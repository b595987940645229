"""A patient's own limits in the database."""

from datetime import timedelta
from decimal import Decimal

import pytest

from alerting.limits import Priority
from cloud.plans import store
from device_drivers.nomenclature import Unit
from tests.cloud.made import NOW, Ward, glucose, sent


def set_limit(ward: Ward, value: str, *, condition: str = "hypoglycaemia_level_1", unit: Unit = Unit.MG_DL) -> None:
    """The nurse sets a limit."""
    store.set_limit(
        ward.admin,
        patient_id=ward.patient_id,
        condition=condition,
        unit=unit,
        value=Decimal(value),
        priority=Priority.HIGH,
        reason="unaware of hypoglycaemia",
        set_by=ward.nurse_id,
        at=NOW,
        expires_at=NOW + timedelta(days=30),
    )


def test_a_new_limit_supersedes_the_former_and_keeps_it(ward: Ward) -> None:
    set_limit(ward, "80")
    set_limit(ward, "85")

    assert ward.rows("SELECT value::int, version, superseded_at FROM alarm_limit ORDER BY value") == [
        (80, 1, NOW),
        (85, 2, None),
    ]


@pytest.mark.parametrize(("condition", "unit"), [("ennui", Unit.MG_DL), ("hypoglycaemia_level_1", Unit.MM_HG)])
def test_a_limit_that_nothing_would_look_at_is_refused(ward: Ward, condition: str, unit: Unit) -> None:
    with pytest.raises(store.UnknownLimit):
        set_limit(ward, "80", condition=condition, unit=unit)


def test_a_limit_of_another_software_version_stops_no_reading(ward: Ward) -> None:
    ward.admin.execute(
        "INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at)"
        " VALUES (%s, 'ennui', 'mg/dL', 1, 'low', 'old', %s, %s)",
        (ward.patient_id, ward.nurse_id, NOW),
    )
    ward.receive(sent(glucose("48")))

    assert ward.rows("SELECT condition FROM alert_case") == [("hypoglycaemia_level_2",)]


def test_a_patients_own_limit_opens_the_case_and_is_named_in_its_sentence(ward: Ward) -> None:
    set_limit(ward, "80", condition="hypoglycaemia_level_2")

    ward.receive(sent(glucose("79")))

    [(priority, sentence)] = ward.rows("SELECT priority, sentence FROM alert_case")
    assert priority == "high"
    assert sentence.startswith("Glucose 79 mg/dL: below the limit of 80 mg/dL (set by Nurse Nielsen")
    assert "2026-11-21" in sentence
