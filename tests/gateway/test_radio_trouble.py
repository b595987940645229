"""A trouble of the radio in the status of its devices."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.outbox import Outbox, VisitRow
from gateway.radio_trouble import RadioTrouble
from gateway.visit import VisitReport
from tests.gateway.made import NOW

BEFORE = VisitRow(name="cuff", at=NOW, outcome="complete", reason="all", received=3, new=1, holds=3, complete_at=NOW)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = Outbox.open(tmp_path / "outbox.sqlite")
    outbox.record_visit(BEFORE)
    yield outbox
    outbox.close()


def trouble_in(outbox: Outbox, told: list[str]) -> RadioTrouble:
    def record(report: VisitReport) -> None:
        told.append(f"{report.name}: {report.reason}")
        row = VisitRow(
            name=report.name, at=report.started_at, outcome=report.outcome, reason=report.reason, received=0, new=0,
            holds=None,
        )  # fmt: skip
        outbox.record_visit(row)

    return RadioTrouble(lambda: ("meter", "cuff"), outbox, record, lambda: NOW + timedelta(hours=1))


def test_each_trouble_is_told_once_and_the_last_visits_are_put_back(outbox: Outbox) -> None:
    told: list[str] = []
    trouble = trouble_in(outbox, told)
    for reason in ("it is off", "it is off", "it is gone"):
        trouble.tell(reason)
    assert len(told) == 4
    assert outbox.visits()["cuff"].reason == "no visit: the radio cannot be used (it is gone)"
    trouble.over()
    trouble.over()
    assert told[4:] == ["meter: the radio works again; it was not heard since"]
    assert outbox.visits()["cuff"] == BEFORE


def test_a_trouble_that_an_earlier_process_told_is_not_taken_for_a_visit(outbox: Outbox) -> None:
    trouble_in(outbox, []).tell("it is off")
    told: list[str] = []
    trouble = trouble_in(outbox, told)
    trouble.tell("it is off")
    trouble.over()
    assert told[2:] == [f"{name}: the radio works again; it was not heard since" for name in ("meter", "cuff")]
    assert outbox.visits()["cuff"].complete_at == NOW
