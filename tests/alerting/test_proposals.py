"""A proposed change: which limits it makes, what it leaves alone, and why it is refused."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from alerting.limits import Priority
from alerting.proposals import Change, ProposalRefused, changed, regime_of, with_prescribed
from alerting.regimes import AHA_2025, ESC_2024, Evidence, Override, in_force
from device_drivers.nomenclature import Unit

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LOWER = Change(condition="home_average_systolic", unit=Unit.MM_HG, value=Decimal(130))
OWN = Override(
    condition="home_average_systolic", unit=Unit.MM_HG, value=Decimal(150), priority=Priority.MEDIUM, set_by="Dr Holm",
    set_at=AT, reason="frail", version=2,
)  # fmt: skip


def values(limits: tuple[object, ...], condition: str = "home_average_systolic") -> list[dict[Unit, Decimal]]:
    """What the condition has, limit by limit."""
    return [dict(x.values) for x in limits if getattr(x, "condition", "") == condition]  # type: ignore[attr-defined]


def test_a_change_replaces_its_unit_alone() -> None:
    assert values(changed(ESC_2024.limits, [LOWER])) == [{Unit.KPA: Decimal("18.0")}, {Unit.MM_HG: Decimal(130)}]


def test_a_change_leaves_every_other_limit_as_it_is() -> None:
    before = [x for x in ESC_2024.limits if x.condition != LOWER.condition]
    assert [x for x in changed(ESC_2024.limits, [LOWER]) if x.condition != LOWER.condition] == before
    assert changed(ESC_2024.limits, []) == ESC_2024.limits


def test_a_change_for_one_patient_replaces_what_a_doctor_set() -> None:
    found = changed(in_force(ESC_2024, [OWN], AT), [LOWER])
    assert values(found) == [{Unit.KPA: Decimal("18.0")}, {Unit.MM_HG: Decimal(130)}]
    assert Evidence.PRESCRIBED not in {x.evidence for x in found}


def test_a_change_of_the_programme_leaves_what_a_doctor_set() -> None:
    proposed = changed(ESC_2024.limits, [LOWER])
    found = with_prescribed(proposed, in_force(ESC_2024, [OWN], AT))
    assert values(found) == [{Unit.KPA: Decimal("18.0")}, {Unit.MM_HG: Decimal(150)}]


def test_another_regime_keeps_what_a_doctor_set() -> None:
    found = with_prescribed(AHA_2025.limits, in_force(ESC_2024, [OWN], AT))
    assert values(found) == [{Unit.KPA: Decimal("17.3")}, {Unit.MM_HG: Decimal(150)}]
    assert values(found, "home_average_diastolic") == [dict(AHA_2025.limits[8].values)]


def test_without_anything_of_a_doctors_the_defaults_are_the_same_objects() -> None:
    assert with_prescribed(ESC_2024.limits, ESC_2024.limits) == ESC_2024.limits


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Change(condition="ennui", unit=Unit.MM_HG, value=Decimal(1)), "no condition 'ennui'.*there are bradycardia"),
        (Change(condition="bradycardia", unit=Unit.KPA, value=Decimal(1)), "bradycardia has no limit in kPa.*in /min"),
        (Change(condition="bradycardia", unit=Unit.PER_MIN, value=Decimal(-1)), "-1 is no value for bradycardia"),
        (Change(condition="bradycardia", unit=Unit.PER_MIN, value=Decimal("NaN")), "NaN is no value"),
    ],
)
def test_a_change_that_nobody_would_look_at_is_refused(change: Change, said: str) -> None:
    with pytest.raises(ProposalRefused, match=said):
        changed(ESC_2024.limits, [change])


def test_regimes_that_do_not_go_together_are_refused() -> None:
    assert regime_of(["esc2024", "ada"]).name == "esc2024+ada"
    with pytest.raises(ProposalRefused, match="no regime 'nobodys'"):
        regime_of(["nobodys"])
    with pytest.raises(ProposalRefused, match="more than one regime"):
        regime_of(["aha2025", "esc2024"])
