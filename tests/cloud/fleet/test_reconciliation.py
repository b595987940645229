"""What devices hold against what has arrived: through the ingest, the gateway's status and the judgement."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from cloud.db.components import beat
from cloud.db.connect import Connection, open_connection
from cloud.devices import store as devices
from cloud.devices.statuses import GatewayStatus, record_status
from cloud.fleet.judging import judge_fleet
from device_drivers.identity import DeviceIdentity
from device_drivers.readings import Reading
from gateway.wire import v1
from tests.cloud.made import CUFF, GATEWAY, METER, NOW, Ward, arrival, glucose, message, pressure, session

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@dataclass
class Home:
    """A device's visits, as they reach us. Each takes a second, and a status follows each."""

    ward: Ward
    jobs: Connection
    now: datetime = NOW
    lost: set[int] = field(default_factory=set)  # sequence numbers that never arrive

    def visit(
        self,
        readings: Iterable[Reading],
        *,
        holds: int,
        device: DeviceIdentity = METER,
        gateway_id: str = GATEWAY,
        unsent: int = 0,
    ) -> None:
        """A whole visit: readings, the end of the session, a status."""
        self.now += MINUTE
        visit = msgspec.structs.replace(session(device), started_at=self.now, gateway_time=self.now)
        visit = msgspec.structs.replace(visit, device_time=self.now.replace(tzinfo=None).isoformat())
        given = list(readings)
        if arriving := [r for r in given if r.sequence_number not in self.lost]:
            self._receive(message(*arriving, visit=visit), gateway_id)
        ended = msgspec.structs.replace(
            visit, holds=holds, received=len(given), complete=True, ended_at=self.now + SECOND
        )
        self.now += SECOND
        self._receive(v1.ReadingsMessage(v=1, message_id=visit.session_id, session=ended, readings=()), gateway_id)
        self.status(gateway_id, unsent)

    def status(self, gateway_id: str = GATEWAY, unsent: int = 0) -> None:
        """What the gateway says a second later."""
        self.now += SECOND
        said = GatewayStatus(
            gateway_id=gateway_id, state="online", received_at=self.now, at=self.now, outbox_depth=unsent
        )
        record_status(self.ward.ingest, [said])

    def gaps(self) -> list[str]:
        """The sentences of the gaps in force."""
        detail = {"broker": True, "since": (NOW - DAY).isoformat()}
        beat(self.ward.ingest, "ingest-1", "ingest", self.now, detail)
        judge_fleet(self.jobs, NOW - DAY, self.now)
        rows = self.ward.rows(
            "SELECT sentence FROM technical_alarm WHERE condition = 'reconciliation_gap' AND resolved_at IS NULL"
        )
        return [sentence for (sentence,) in rows]

    def _receive(self, content: v1.ReadingsMessage, gateway_id: str) -> None:
        self.ward.receive(arrival(content, gateway_id=gateway_id, at=self.now), at=self.now)


@pytest.fixture
def home(ward: Ward) -> Iterator[Home]:
    """A home with a meter and a cuff."""
    jobs = open_connection(ward.database.jobs_url, "test jobs", autocommit=True)
    try:
        yield Home(ward, jobs)
    finally:
        jobs.close()


def numbered(*numbers: int, **fields: Any) -> list[Reading]:
    """A reading for each sequence number, the higher the newer."""
    return [glucose(str(100 + n % 80), NOW - timedelta(hours=1000 - n), sequence_number=n, **fields) for n in numbers]


def unnumbered(*numbers: int) -> list[Reading]:
    """The same of a meter that does not number its readings."""
    return [replace(reading, sequence_number=None) for reading in numbered(*numbers)]


def test_a_device_whose_readings_have_all_arrived_has_no_gap(home: Home) -> None:
    home.visit(numbered(*range(1, 13)), holds=12)
    home.visit(numbered(13), holds=13)

    assert home.gaps() == []
    assert home.ward.rows("SELECT holds, missing, readings_known FROM reconciliation") == [(13, 0, 13)]


def test_lost_readings_are_named_by_their_numbers_until_they_arrive(home: Home) -> None:
    home.lost = {4, 7, 8}
    home.visit(numbered(*range(1, 13)), holds=12)
    assert home.gaps() == [
        "LifeScan OneTouch Ultra 2 holds 12 readings, and 9 of them have arrived: missing are 3, numbers 4, 7–8."
    ]

    home.lost = set()
    home.visit(numbered(*range(1, 13)), holds=12)
    assert home.gaps() == []


def test_lost_readings_without_numbers_are_named_by_the_time_of_the_visit(home: Home) -> None:
    home.visit(unnumbered(1, 2, 3), holds=3)
    whole = home.now - SECOND
    home.visit(unnumbered(4), holds=6)

    [sentence] = home.gaps()
    assert sentence.endswith(f"missing are 2, read between {whole:%d %b %Y, %H:%M} UTC and 21 Nov 2026, 12:02 UTC.")

    home.visit(unnumbered(7), holds=7)
    assert home.gaps() == [sentence.replace("holds 6", "holds 7").replace("and 4 of", "and 5 of")]


def test_a_newest_reading_that_was_lost_is_missed_too(home: Home) -> None:
    home.lost = {12}
    home.visit(numbered(*range(1, 13)), holds=12)

    assert home.gaps()[0].endswith("missing is 1, after number 11.")


def test_what_lies_in_quarantine_is_not_missing(home: Home) -> None:
    before_anybody_had_it = [glucose("90", NOW - timedelta(days=500 + n), sequence_number=n) for n in (1, 2)]
    home.visit([*before_anybody_had_it, *numbered(3, 4)], holds=4)

    assert home.gaps() == []
    assert home.ward.count("quarantine") == 2


def test_what_we_cannot_read_is_in_quarantine_and_not_missing(home: Home) -> None:
    home.visit(numbered(1, 2), holds=2)
    visit = session()
    odd = message(*numbered(3), visit=visit)
    odd = msgspec.structs.replace(odd, readings=(msgspec.structs.replace(odd.readings[0], kind="cholesterol"),))
    home.ward.receive(arrival(odd, at=home.now))
    home.visit([], holds=3)

    assert home.gaps() == []


def test_the_users_of_one_cuff_are_counted_together(home: Home) -> None:
    both = [
        pressure(str(120 + n), at=NOW - timedelta(hours=n), user_index=user, device=CUFF)
        for n in range(1, 4)
        for user in (1, 2)
    ]
    home.visit(both, holds=6, device=CUFF)

    assert home.gaps() == []
    home.visit([], holds=7, device=CUFF)
    assert len(home.gaps()) == 1


@pytest.mark.parametrize("readings", [numbered, unnumbered])
def test_a_memory_that_was_erased_has_no_gap(home: Home, readings: Any) -> None:
    home.visit(readings(*range(1, 13)), holds=12)
    home.visit([], holds=0)
    assert home.gaps() == []

    home.visit(readings(13, 14), holds=2)
    assert home.gaps() == []


def test_a_memory_that_counts_from_the_start_again_has_no_gap(home: Home) -> None:
    home.visit(numbered(*range(1, 13)), holds=12)
    again = [glucose("77", NOW - timedelta(hours=n), sequence_number=n) for n in (1, 2)]
    home.visit(again, holds=2)

    assert home.gaps() == []


def test_a_full_memory_that_forgets_its_oldest_has_no_gap(home: Home) -> None:
    home.visit(numbered(*range(1, 11)), holds=10)
    home.visit(numbered(11, 12, 13), holds=10)
    assert home.gaps() == []

    home.lost = {15}
    home.visit(numbered(14, 15, 16), holds=10)
    assert home.gaps()[0].endswith("missing is 1, numbers 15.")

    # It has overwritten the one that never arrived: nothing can be had of it any more.
    home.visit(numbered(*range(17, 27)), holds=10)
    assert home.gaps() == []


def test_a_memory_that_was_full_before_we_knew_it_has_no_gap(home: Home) -> None:
    home.visit(numbered(*range(201, 211)), holds=10)
    assert home.gaps() == []


def test_a_replacement_gateway_reads_all_of_it_again_and_there_is_no_gap(home: Home) -> None:
    devices.enrol_gateway(home.ward.admin, "gw-new", NOW)
    home.lost = {5}
    home.visit(numbered(*range(1, 9)), holds=8)
    assert len(home.gaps()) == 1

    home.lost = set()
    home.visit(numbered(*range(1, 9)), holds=8, gateway_id="gw-new")
    assert home.gaps() == []


def test_nothing_is_missing_while_the_backlog_travels(home: Home) -> None:
    home.lost = {2, 3}
    home.visit(numbered(1, 2, 3), holds=3, unsent=2)
    assert home.gaps() == []

    home.lost = set()
    visit = session()
    home.ward.receive(arrival(message(*numbered(2, 3), visit=visit), at=home.now))
    home.status()
    assert home.gaps() == []


def test_a_gap_does_not_flicker_from_visit_to_visit(home: Home) -> None:
    home.lost = {2}
    home.visit(numbered(1, 2, 3), holds=3)
    assert len(home.gaps()) == 1
    home.visit(numbered(4), holds=4, unsent=1)
    assert len(home.gaps()) == 1
    home.status()
    assert len(home.gaps()) == 1

    assert home.ward.count("technical_alarm") == 1
