"""A stronger condition hides the weaker, and nothing is lost by that."""

from dataclasses import replace

import pytest

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Name
from alerting.technical.inhibition import RULES, inhibit


def condition(name: Name, gateway_id: str | None = "g1", subject: str = "x:1", **reason: object) -> Condition:
    """A condition in force."""
    return Condition(
        name=name, subject=subject, priority=Priority.LOW, sentence=str(name), reason=reason, gateway_id=gateway_id
    )


NO_WORKER = condition(Name.COMPONENT_DOWN, None, "component:ingest", kind="ingest")
NO_BROKER = condition(Name.BROKER_UNREACHABLE, None, "component:broker")
ONE_WORKER = condition(Name.COMPONENT_DOWN, None, "component:ingest-2", kind="ingest", component="ingest-2")
NO_CONSOLE = condition(Name.COMPONENT_DOWN, None, "component:console-1", kind="console", component="console-1")
AWAY = condition(Name.GATEWAY_AWAY)
EXPIRED = condition(Name.GATEWAY_CERTIFICATE, expired=True)
EXPIRES = condition(Name.GATEWAY_CERTIFICATE, expired=False)
FULL = condition(Name.GATEWAY_STORAGE, unread=True)
RUNS_LOW = condition(Name.GATEWAY_STORAGE, disk_free_octets=99 * 2**20)
BACKLOG = condition(Name.GATEWAY_BACKLOG)
SILENT = condition(Name.DEVICE_SILENT, subject="device:1")
BATTERY = condition(Name.DEVICE_BATTERY, subject="device:1")
UNKNOWN = condition(Name.DEVICE_UNKNOWN_MODEL, subject="device:1")
GAP = condition(Name.RECONCILIATION_GAP, subject="device:1")


@pytest.mark.parametrize(
    ("strong", "weak", "hides"),
    [
        (NO_WORKER, AWAY, True),
        (NO_WORKER, BACKLOG, True),
        (NO_WORKER, SILENT, True),
        (NO_WORKER, FULL, False),
        (NO_WORKER, EXPIRES, False),
        (NO_WORKER, BATTERY, False),
        (NO_WORKER, UNKNOWN, False),
        (NO_BROKER, AWAY, True),
        (NO_BROKER, GAP, True),
        (ONE_WORKER, AWAY, False),
        (NO_CONSOLE, AWAY, False),
        (EXPIRED, AWAY, True),
        (EXPIRES, AWAY, False),
        (replace(EXPIRED, gateway_id="g2"), AWAY, False),
        (AWAY, SILENT, True),
        (AWAY, BACKLOG, True),
        (AWAY, GAP, True),
        (AWAY, FULL, False),
        (replace(AWAY, gateway_id="g2"), SILENT, False),
        (FULL, SILENT, True),
        (RUNS_LOW, SILENT, False),
        (RUNS_LOW, BACKLOG, False),
        (UNKNOWN, SILENT, True),
        (SILENT, BATTERY, True),
        (SILENT, replace(BATTERY, subject="device:2"), False),
    ],
)
def test_who_hides_whom(strong: Condition, weak: Condition, hides: bool) -> None:
    first, second = inhibit([strong, weak])
    assert first.inhibited_by is None
    assert second.inhibited_by == (strong.name if hides else None)
    assert replace(second, inhibited_by=None) == weak


def test_what_was_hidden_shows_again_when_the_stronger_has_gone() -> None:
    [alone] = inhibit([replace(SILENT, inhibited_by="gateway_away")])
    assert alone.inhibited_by is None


def test_nothing_hides_itself_or_in_a_circle() -> None:
    below = {rule.stronger: set[Name]() for rule in RULES}
    for rule in RULES:
        below[rule.stronger] |= rule.weaker

    def reached(name: Name) -> set[Name]:
        return set().union(below.get(name, set()), *(reached(weaker) for weaker in below.get(name, set())))

    assert not any(name in reached(name) for name in below)
