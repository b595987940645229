"""Our own processes: who is there, and who can hear."""

from datetime import timedelta
from typing import Any

import pytest

from alerting.limits import Priority
from alerting.technical.fleet import Component
from tests.alerting.technical.made import DAY, MINUTE, NOW, SECOND, ingest, judged, names, only


def test_a_side_that_is_well_says_nothing() -> None:
    assert names(judged()) == {}


@pytest.mark.parametrize(("seconds", "is_down"), [(34, False), (35, False), (36, True)])
def test_the_last_worker_is_missed_after_three_beats(seconds: int, is_down: bool) -> None:
    found = names(judged(components=[ingest(seen_at=NOW - seconds * SECOND)]))
    assert found == ({"component_down": None} if is_down else {})


def test_no_worker_at_all_is_said_too() -> None:
    condition = only(judged(components=[]))
    assert (condition.subject, condition.priority) == ("component:ingest", Priority.HIGH)
    assert "No ingest worker has been heard yet" in condition.sentence


def test_one_of_two_workers_is_missed_as_one_that_others_replace() -> None:
    condition = only(judged(components=[ingest(), ingest("ingest-2", seen_at=NOW - MINUTE)]))
    assert (condition.subject, condition.priority) == ("component:ingest-2", Priority.LOW)
    assert "others do its work" in condition.sentence


def test_whoever_has_just_begun_to_judge_blames_nobody() -> None:
    assert names(judged(components=[ingest(seen_at=NOW - MINUTE)], judging_since=NOW - 20 * SECOND)) == {}


@pytest.mark.parametrize(
    ("days", "priority"),
    [(31, None), (30, Priority.MEDIUM), (3, Priority.HIGH), (0, Priority.HIGH), (-1, Priority.HIGH)],
)
def test_a_certificate_of_our_own_is_named_a_month_before_it_ends(days: int, priority: Priority | None) -> None:
    ends = {"broker": NOW + timedelta(days=days), "authority": NOW + timedelta(days=7000)}
    enrolment = Component(name="enrolment-1", kind="enrolment", seen_at=NOW, certificates=ends)
    found = judged(components=[ingest(), enrolment])
    assert [c.priority for c in found.conditions] == ([] if priority is None else [priority])
    if priority is not None:
        assert only(found).subject == "certificate:broker"
        assert ("ended" if days <= 0 else "ends") in only(found).sentence
        assert "python -m cloud ca server" in only(found).sentence


def test_an_authority_that_ends_takes_every_gateway_with_it() -> None:
    ends = {"authority": NOW + timedelta(days=20)}
    enrolment = Component(name="enrolment-1", kind="enrolment", seen_at=NOW, certificates=ends)
    assert "every gateway has to be enrolled again" in only(judged(components=[ingest(), enrolment])).sentence


def test_of_two_who_saw_a_certificate_the_later_one_counts() -> None:
    old, new = (
        Component(name=name, kind="enrolment", seen_at=NOW - ago * SECOND, certificates={"broker": NOW + left * DAY})
        for name, ago, left in (("enrolment-1", 20, 5), ("enrolment-2", 1, 300))
    )
    assert names(judged(components=[ingest(), new, old])) == {}


@pytest.mark.parametrize("kind", ["console", "jobs", "enrolment"])
def test_another_process_that_fell_is_named(kind: str) -> None:
    fallen = Component(name=f"{kind}-1", kind=kind, seen_at=NOW - MINUTE)
    condition = only(judged(components=[ingest(), fallen]))
    assert (condition.subject, condition.priority) == (f"component:{kind}-1", Priority.MEDIUM)
    assert "21 Nov 2026, 11:59 UTC" in condition.sentence


@pytest.mark.parametrize(("seconds", "is_lost"), [(30, False), (31, True)])
def test_workers_that_do_not_hear_the_broker_are_our_side_down(seconds: int, is_lost: bool) -> None:
    deaf = ingest(broker=False, since=NOW - seconds * SECOND)
    judgement = judged(components=[deaf])
    assert names(judgement) == ({"broker_unreachable": None} if is_lost else {})
    if is_lost:
        assert only(judgement).priority is Priority.HIGH


def test_one_worker_that_does_not_hear_the_broker_is_its_own_trouble() -> None:
    condition = only(judged(components=[ingest(), ingest("ingest-2", broker=False, since=NOW - MINUTE)]))
    assert (condition.subject, condition.priority) == ("component:ingest-2", Priority.LOW)


@pytest.mark.parametrize(("lag_s", "is_behind"), [(30.0, False), (30.1, True)])
def test_a_worker_that_stores_late_is_behind(lag_s: float, is_behind: bool) -> None:
    found: dict[str, Any] = names(judged(components=[ingest(lag_s=lag_s)]))
    assert found == ({"ingest_behind": None} if is_behind else {})
