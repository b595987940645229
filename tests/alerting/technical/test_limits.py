"""Each limit says in which unit it is, and why it is that."""

from dataclasses import Field, fields

import pytest

from alerting.technical.limits import TechnicalLimits


@pytest.mark.parametrize("limit", fields(TechnicalLimits), ids=lambda limit: limit.name)
def test_a_limit_has_a_value_a_unit_and_a_reason(limit: "Field[object]") -> None:
    assert limit.default
    assert limit.metadata["unit"]
    assert len(limit.metadata["why"].split()) > 4
