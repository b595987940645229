"""What holds for patients, as the ingest asks for it."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from alerting.regimes import ESC_2024, Evidence, RegimeLimit
from alerting.tiers import TERMS, Tier
from cloud.plans.models import PatientRules
from cloud.plans.store import rules_of
from device_drivers.nomenclature import Unit
from tests.cloud.made import NOW, Ward, new_patient

HOUR = timedelta(hours=1)


def rules(ward: Ward, *others: UUID) -> PatientRules:
    """Of the ward's patient."""
    return rules_of(ward.ingest, [ward.patient_id, *others], NOW)[ward.patient_id]


def prescribe(
    ward: Ward, value: str, *, condition: str = "hypertension_systolic", unit: str = "mm[Hg]", ends: timedelta = HOUR
) -> None:
    """A limit of the patient's own, set yesterday, which ends this long from NOW."""
    ward.admin.execute(
        "INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at, expires_at,"
        " version) VALUES (%s, %s, %s, %s, 'medium', 'frail', %s, %s, %s, 3)",
        (ward.patient_id, condition, unit, Decimal(value), ward.nurse_id, NOW - timedelta(days=1), NOW + ends),
    )


def join(ward: Ward, programme_id: str, heightened: timedelta | None = None) -> None:
    """Put the patient into a programme since yesterday, watched closely until this long from NOW."""
    ward.admin.execute(
        "INSERT INTO patient_programme (patient_id, programme_id, valid, heightened_until)"
        " VALUES (%s, %s, tstzrange(%s, NULL), %s)",
        (
            ward.patient_id,
            programme_id,
            NOW - timedelta(days=1),
            NOW + heightened if heightened is not None else None,
        ),
    )


def new_programme(ward: Ward, programme_id: str, *regimes: str) -> None:
    """A programme with these regimes."""
    ward.admin.execute(
        "INSERT INTO programme (programme_id, display_name, regimes) VALUES (%s, 'Another', %s)",
        (programme_id, list(regimes)),
    )


def of(found: PatientRules, condition: str) -> list[RegimeLimit]:
    """The limits of one condition."""
    return [limit for limit in found.limits if limit.condition == condition]


def test_patients_without_anything_of_their_own_share_one_object_from_call_to_call(ward: Ward) -> None:
    other = new_patient(ward.admin, "Bo Example")

    found = rules_of(ward.ingest, [ward.patient_id, other], NOW)

    assert found[ward.patient_id] is found[other] is rules(ward)
    assert found[other].programme.regimes == ("esc2024", "ada")
    assert found[other].programme.terms == TERMS
    assert found[other].heightened_until is None


def test_a_doctors_limit_holds_with_its_version_and_reason_and_for_its_patient_alone(ward: Ward) -> None:
    other = new_patient(ward.admin, "Bo Example")
    prescribe(ward, "145")

    [default, own] = of(rules(ward, other), "hypertension_systolic")

    assert default.values == {Unit.KPA: Decimal("21.3")}
    assert own.values == {Unit.MM_HG: Decimal(145)}
    assert (own.source, own.since, own.version) == ("Nurse Nielsen", NOW - timedelta(days=1), 3)
    assert (own.why, own.evidence, own.tier) == ("frail", Evidence.PRESCRIBED, Tier.SAME_SHIFT)
    assert len(of(rules_of(ward.ingest, [other], NOW)[other], "hypertension_systolic")) == 1


def test_what_has_expired_counts_no_more_and_the_patient_shares_again(ward: Ward) -> None:
    prescribe(ward, "145", ends=timedelta(0))
    join(ward, "standard", heightened=timedelta(0))

    assert rules(ward) is rules_of(ward.ingest, [other := new_patient(ward.admin)], NOW)[other]


@pytest.mark.parametrize(
    ("condition", "unit"), [("ennui", "mg/dL"), ("hypertension_systolic", "mg/dL"), ("hypertension_systolic", "cubit")]
)
def test_of_a_limit_that_the_programme_lacks_the_default_holds_and_the_operator_hears(
    ward: Ward, caplog: pytest.LogCaptureFixture, condition: str, unit: str
) -> None:
    prescribe(ward, "1", condition=condition, unit=unit)

    assert rules(ward).limits == ESC_2024.limits + rules(ward).limits[len(ESC_2024.limits) :]
    assert "is not applied" in caplog.text


def test_a_programme_speaks_by_its_own_regimes_terms_and_heightened_period(ward: Ward) -> None:
    new_programme(ward, "births", "pregnancy")
    ward.admin.execute(
        "INSERT INTO programme_terms (programme_id, tier, acknowledge_within) VALUES ('births', 'urgent', '7 minutes')"
    )
    join(ward, "births", heightened=HOUR)

    found = rules(ward)

    assert {limit.condition for limit in found.limits} >= {"pregnancy_red_systolic"}
    assert found.programme.terms[Tier.URGENT].acknowledge_within == timedelta(minutes=7)
    assert found.programme.terms[Tier.URGENT].contact_within == TERMS[Tier.URGENT].contact_within
    assert found.programme.terms[Tier.ROUTINE] == TERMS[Tier.ROUTINE]
    assert found.heightened_until == NOW + HOUR


def test_a_change_of_the_programme_holds_at_the_next_batch(ward: Ward) -> None:
    before = rules(ward)
    ward.admin.execute("UPDATE programme SET late_after = '2 hours' WHERE programme_id = 'standard'")

    assert rules(ward).programme.late_after == timedelta(hours=2)
    assert before.programme.late_after == timedelta(hours=6)


@pytest.mark.parametrize("regimes", [("esc2024", "aha2025"), ("of tomorrow",)])
def test_regimes_that_cannot_be_used_leave_no_reading_unjudged(
    ward: Ward, caplog: pytest.LogCaptureFixture, regimes: tuple[str, ...]
) -> None:
    new_programme(ward, "odd", *regimes)
    join(ward, "odd")

    assert of(rules(ward), "hypertension_systolic")
    assert "cannot be used" in caplog.text  # said once for each content, not for each batch


def test_a_patient_whom_nobody_knows_has_rules_too(ward: Ward) -> None:
    nobody = UUID(int=7)

    assert rules_of(ward.ingest, [nobody], NOW)[nobody].programme.programme_id == "standard"
