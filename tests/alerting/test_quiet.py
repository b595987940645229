"""What is decided at a glance is decided as the rules would."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.limits import Priority
from alerting.pipeline import Assessment, on_reading, quantities
from alerting.quiet import is_quiet, quiet
from alerting.regimes import Figure, Override, RegimeLimit, in_force, of_programme
from device_drivers.nomenclature import Unit
from device_drivers.readings import QuantityState, Reading
from tests.cloud.made import glucose, ketone, pressure

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STANDARD = of_programme("esc2024", "ada")


def single(limits: tuple[RegimeLimit, ...]) -> list[RegimeLimit]:
    """Those that one reading alone can violate."""
    return [limit for limit in limits if limit.figure is Figure.READING and limit.times == 1]


figures = st.decimals(0, 700, places=1).map(str)
own_limits = st.lists(
    st.builds(
        Override,
        condition=st.sampled_from(["hypoglycaemia_level_1", "hyperglycaemia_urgent"]),
        unit=st.sampled_from([Unit.MG_DL, Unit.MMOL_L]),
        value=st.decimals(1, 400, places=1),
        priority=st.sampled_from(list(Priority)),
        set_by=st.just("Dr. Okafor"),
        set_at=st.just(AT),
        reason=st.just("frail"),
        version=st.just(1),
    ),
    max_size=3,
    unique_by=lambda limit: (limit.condition, limit.unit),
)
readings = st.one_of(
    st.builds(glucose, figures, unit=st.sampled_from([Unit.MG_DL, Unit.MMOL_L])),
    st.builds(ketone, figures),
    st.builds(pressure, figures, figures, pulse=st.none() | figures),
    st.builds(glucose, st.none(), state=st.sampled_from([QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE])),
)


@given(readings, own_limits)
def test_of_a_quiet_reading_nothing_follows(reading: Reading, own: list[Override]) -> None:
    limits = in_force(STANDARD, own, AT)
    if is_quiet(reading, quiet(single(limits))):
        assert on_reading(quantities(reading), limits, AT, AT) == Assessment()


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (glucose("70"), False),  # on the limit: asked of the rules
        (glucose(str(Decimal(70) + Decimal("0.1"))), True),
        (glucose("300"), False),
        (glucose("299.9"), True),
        (pressure("128", "82", pulse="64"), True),
        (pressure("180", "82", pulse="64"), False),
        (glucose(None, state=QuantityState.ABOVE_RANGE), False),
    ],
)
def test_quiet_is_what_lies_strictly_between_all_limits(reading: Reading, expected: bool) -> None:
    assert is_quiet(reading, quiet(single(STANDARD.limits))) is expected
