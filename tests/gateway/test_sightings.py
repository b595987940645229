"""When a device was last there."""

from datetime import UTC, datetime, timedelta

from gateway.sightings import Sightings

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_a_device_that_was_never_there_has_no_moment() -> None:
    assert Sightings(lambda: NOON).heard_at("meter") is None


def test_the_last_time_counts() -> None:
    moments = [NOON + timedelta(minutes=5), NOON]
    sightings = Sightings(moments.pop)
    sightings.note("meter")
    sightings.note("meter")
    assert (sightings.heard_at("meter"), sightings.heard_at("cuff")) == (NOON + timedelta(minutes=5), None)
