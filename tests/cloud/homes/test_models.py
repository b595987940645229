"""What a home is told, and when it has to be told anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from cloud.homes.models import (
    AGAIN_AFTER,
    DAYS_AHEAD,
    TOLD_ANEW_BELOW,
    Plan,
    Said,
    Task,
    Use,
    Window,
    is_to_be_told,
    plan_of,
    plans,
    span,
    still_holds,
)
from gateway.home import plan as gateways

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
ASTA, BENT = UUID(int=1), UUID(int=2)


def windows(now: datetime = NOW, hour: int = 8) -> tuple[Window, ...]:
    """One each day at this hour, as far as is told now."""
    since, until = span(now)
    at = [since + timedelta(days=day, hours=hour) for day in range((until - since).days)]
    return tuple(Window(one, one - timedelta(hours=1), one + timedelta(hours=2)) for one in at)


def wanted(now: datetime = NOW, hour: int = 8, *uses: Use) -> Plan:
    given = uses or (Use("home-1", "cuff", None, ASTA),)
    tasks = {ASTA: [Task("blood_pressure", "Europe/Berlin", windows(now, hour))]}
    return plans(given, tasks, *span(now))["home-1"]


def said(stage: str, created_at: datetime = NOW) -> Said:
    return Said(gateway_id="home-1", command_id=uuid4(), stage=stage, created_at=created_at)


def test_two_people_of_a_home_are_two_uses_of_its_devices_and_nobody_else() -> None:
    uses = [
        Use("home-1", "cuff", 2, BENT),
        Use("home-1", "cuff", 1, ASTA),
        Use("home-1", "meter", None, ASTA),
        Use("home-2", "cuff", None, BENT),
        Use("home-3", None, None, None),
    ]
    tasks = {ASTA: [Task("blood_pressure", "Europe/Berlin", windows())], BENT: [Task("glucose", "UTC", ())]}
    told = plans(uses, tasks, *span(NOW))
    assert [(due.devices, due.kind) for due in told["home-1"].due] == [
        ((("cuff", 1), ("meter", None)), "blood_pressure"),
        ((("cuff", 2),), "glucose"),
    ]
    assert (len(told["home-2"].due), told["home-3"].due) == (1, ())
    assert str(ASTA) not in str(told["home-1"].as_body(NOW))


def test_the_body_is_what_a_gateway_reads_and_what_we_read_again() -> None:
    body = msgspec.json.decode(msgspec.json.encode(wanted().as_body(NOW)))
    read = gateways.plan_of(body)
    assert (read.said_at, read.until) == (NOW, wanted().until)
    assert [tuple(window) for window in read.due[0].windows] == [tuple(window) for window in windows()]
    assert plan_of(body) == wanted()


def test_a_home_is_told_the_same_all_day_long() -> None:
    assert wanted(NOW) == wanted(NOW.replace(hour=0, minute=0)) == wanted(NOW.replace(hour=23, minute=59))


def test_what_was_told_holds_on_the_next_days_while_nothing_changes() -> None:
    for days in range((DAYS_AHEAD - TOLD_ANEW_BELOW).days):
        later = NOW + timedelta(days=days)
        assert still_holds(wanted(NOW), wanted(later), later)


def test_a_home_that_knows_little_of_what_is_to_come_is_told_anew() -> None:
    later = NOW + DAYS_AHEAD - TOLD_ANEW_BELOW
    assert not still_holds(wanted(NOW), wanted(later), later)


def test_a_changed_plan_a_pause_and_another_device_are_told() -> None:
    before = wanted()
    paused = replace(before, due=(replace(before.due[0], windows=before.due[0].windows[:4]),))
    for after in (
        wanted(NOW, 9),
        paused,
        replace(before, due=()),
        wanted(NOW, 8, Use("home-1", "spare", None, ASTA)),
        wanted(NOW, 8, Use("home-1", "cuff", 1, ASTA)),
    ):
        assert not still_holds(before, after, NOW)


@pytest.mark.parametrize("stage", ["waiting", "published", "underway", "done"])
def test_what_was_sent_is_not_sent_again(stage: str) -> None:
    assert not is_to_be_told(said(stage), wanted(), wanted(), NOW)


@pytest.mark.parametrize("stage", ["failed", "refused", "expired"])
def test_what_a_gateway_did_not_take_is_sent_again_the_next_day_and_not_before(stage: str) -> None:
    assert not is_to_be_told(said(stage), wanted(), wanted(), NOW + timedelta(minutes=1))
    assert is_to_be_told(said(stage), wanted(), wanted(), NOW + AGAIN_AFTER)


def test_a_home_that_was_told_nothing_or_by_another_release_is_told() -> None:
    assert is_to_be_told(None, None, wanted(), NOW)
    assert is_to_be_told(said("done"), None, wanted(), NOW)
