"""Whatever the rules say comes back out of JSON as it went in."""

import json
from datetime import UTC
from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from alerting.limits import Measure, Priority, Relation
from alerting.reasons import LimitReason, Reason
from alerting.regimes import Confirmation, Evidence, Figure, RegimeLimit, of_programme
from alerting.tiers import Tier
from cloud.alerts.reasons import from_json, to_json
from device_drivers.nomenclature import Unit
from device_drivers.readings import Quantity, QuantityState

figures = st.decimals(-1000, 1000, places=3)
aware = st.datetimes(timezones=st.just(UTC))
st.register_type_strategy(Decimal, figures)
st.register_type_strategy(
    Quantity,
    st.one_of(
        st.builds(Quantity, value=figures, unit=st.sampled_from(Unit), bound=st.none()),
        st.builds(
            Quantity,
            value=st.none(),
            unit=st.sampled_from(Unit),
            state=st.sampled_from([QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE]),
            bound=st.none() | figures,
        ),
    ),
)
limits = st.builds(
    RegimeLimit,
    condition=st.text(),
    measure=st.sampled_from(Measure),
    relation=st.sampled_from(Relation),
    values=st.dictionaries(st.sampled_from(Unit), figures, min_size=1),
    priority=st.sampled_from(Priority),
    source=st.text(),
    since=st.none() | aware,
    tier=st.sampled_from(Tier),
    evidence=st.sampled_from(Evidence),
    figure=st.sampled_from(Figure),
    confirm=st.none() | st.from_type(Confirmation),
    times=st.integers(1, 9),
    within=st.none() | st.timedeltas(),
    version=st.none() | st.integers(1, 99),
    why=st.none() | st.text(),
)
st.register_type_strategy(RegimeLimit, limits)
plain = st.one_of(*(st.from_type(kind) for kind in get_args(Reason) if "finding" not in kind.__dataclass_fields__))
reasons = st.recursive(
    plain,
    lambda inner: st.one_of(
        *(st.builds(kind, finding=inner) for kind in get_args(Reason) if "finding" in kind.__dataclass_fields__)
    ),
    max_leaves=3,
)


@given(reasons)
def test_every_kind_of_reason_comes_back_as_it_was(reason: Reason) -> None:
    assert from_json(json.loads(json.dumps(to_json(reason)))) == reason


def test_figures_keep_their_digits() -> None:
    [limit, *_] = of_programme("ada").limits
    reason = LimitReason(figure=Quantity(value=limit.values[Unit.MMOL_L], unit=Unit.MMOL_L), limit=limit)
    read = from_json(to_json(reason))
    assert isinstance(read, LimitReason)
    assert str(read.figure.value) == "3.0"


def test_what_has_another_shape_is_no_reason() -> None:
    old = {"measure": "glucose", "value": "48", "state": "measured", "unit": "mg/dL", "relation": "below"}
    assert from_json(old) is None
    assert from_json({"reason": "ennui"}) is None
    assert from_json({"reason": "limit", "figure": 3}) is None
    assert from_json({}) is None
