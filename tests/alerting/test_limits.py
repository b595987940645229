"""The former limits on single readings: what a programme is compared with."""

from alerting.limits import DEFAULT_LIMITS


def test_every_default_names_its_source_and_no_two_are_the_same_condition() -> None:
    assert all(limit.source for limit in DEFAULT_LIMITS)
    assert len({limit.condition for limit in DEFAULT_LIMITS}) == len(DEFAULT_LIMITS)
