"""A patient's own limit in the place of the default, for its own unit, until it expires."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from alerting.limits import DEFAULT_LIMITS, AlarmLimit, PatientLimit, Priority, in_force
from device_drivers.nomenclature import Unit

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def own(
    value: str,
    unit: Unit = Unit.MG_DL,
    *,
    condition: str = "hyperglycaemia",
    expires_at: datetime | None = None,
) -> PatientLimit:
    """A limit that Dr Holm set a month ago."""
    return PatientLimit(
        condition=condition,
        unit=unit,
        value=Decimal(value),
        priority=Priority.LOW,
        set_by="Dr Holm",
        set_at=AT - timedelta(days=30),
        expires_at=expires_at,
    )


def of(limits: tuple[AlarmLimit, ...], condition: str) -> list[tuple[Unit, Decimal, str]]:
    """Unit, value and source of a condition's limits."""
    return [(u, v, limit.source) for limit in limits if limit.condition == condition for u, v in limit.values.items()]


def test_without_own_limits_the_defaults_are_in_force() -> None:
    assert in_force((), AT) == DEFAULT_LIMITS


def test_an_own_limit_speaks_for_its_own_unit_only() -> None:
    assert of(in_force([own("220")], AT), "hyperglycaemia") == [
        (Unit.MMOL_L, Decimal("13.9"), "CGM consensus, above range level 2"),
        (Unit.MG_DL, Decimal("220"), "Dr Holm"),
    ]


def test_own_limits_in_both_units_leave_nothing_of_the_default() -> None:
    limits = in_force([own("220"), own("12.2", Unit.MMOL_L)], AT)

    assert sorted(of(limits, "hyperglycaemia")) == [
        (Unit.MG_DL, Decimal("220"), "Dr Holm"),
        (Unit.MMOL_L, Decimal("12.2"), "Dr Holm"),
    ]


@pytest.mark.parametrize(
    ("expires_at", "in_effect"),
    [(AT - timedelta(seconds=1), False), (AT, False), (AT + timedelta(seconds=1), True)],
)
def test_an_expired_limit_gives_way_to_the_default(expires_at: datetime, in_effect: bool) -> None:
    sources = [source for _, _, source in of(in_force([own("220", expires_at=expires_at)], AT), "hyperglycaemia")]
    assert ("Dr Holm" in sources) is in_effect


def test_other_conditions_keep_their_defaults() -> None:
    changed = [limit for limit in in_force([own("220")], AT) if limit.condition != "hyperglycaemia"]
    assert changed == [limit for limit in DEFAULT_LIMITS if limit.condition != "hyperglycaemia"]


def test_a_condition_that_no_default_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        in_force([own("1", condition="ennui")], AT)


def test_every_default_names_its_source_and_no_two_are_the_same_condition() -> None:
    assert all(limit.source for limit in DEFAULT_LIMITS)
    assert len({limit.condition for limit in DEFAULT_LIMITS}) == len(DEFAULT_LIMITS)
