"""The chaos run: its plan, its links, its judge, who must be able to find something, and a short run of everything."""

import asyncio
import json
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from alerting.pipeline import on_reading, quantities
from alerting.regimes import of_programme
from cloud.plans.rules import STANDARD_REGIMES
from deploy.chaos import cast
from deploy.chaos.judge import Verdict, judge
from deploy.chaos.kinds import SENTENCES, Kind
from deploy.chaos.part import Part
from deploy.chaos.plan import BACKUPS, GLUCOSE, OPENS_AT_ONCE, PRESSURES, STARTS_A_TIMER, Fault, Measure, Reassign, draw
from deploy.chaos.proxy import Direction, Proxy, opened
from deploy.chaos.truth import Alerted, Case, Found, Held, Jump, Made, Stored, Timed, Truth
from deploy.demo import processes
from deploy.demo.processes import Child
from tests.cloud.made import glucose, pressure

NOW = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
SKEW = timedelta(hours=2)
RESOLUTION = {cast.METER: 1, cast.CABLE_CUFF: 60}

# The plan ---------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert draw(120, 7) == draw(120, 7)
    assert draw(120, 7).rounds != draw(120, 8).rounds


def test_a_plan_has_as_many_faults_as_were_ordered_and_of_every_kind() -> None:
    assert sum(draw(73, 1).faults.values()) == 73
    assert set(draw(1000, 1).faults) == set(Kind) == set(SENTENCES)


def test_a_device_changes_hands_once() -> None:
    whats = [step.what for steps in draw(300, 2).rounds for step in steps]
    assert sum(isinstance(what, Reassign) for what in whats) == 1


def test_every_fault_of_a_plan_can_be_done() -> None:
    for fault in [step.what for steps in draw(1000, 3).rounds for step in steps if isinstance(step.what, Fault)]:
        assert fault.device in {"", *cast.BY_NAME}
        assert 0 <= fault.back <= BACKUPS
        assert fault.octets >= (1 if fault.kind.endswith("_cut") or fault.kind is Kind.DEVICE_UNPLUGGED else 0)
        assert fault.offset_s == 0 or abs(fault.offset_s) > 60


def test_the_cuff_on_the_radio_never_shows_the_same_twice_in_a_row() -> None:
    for steps in draw(500, 4).rounds:
        shown = [
            step.what.figures for step in steps if isinstance(step.what, Measure) and step.what.device == cast.CUFF
        ]
        assert all(one != other for one, other in pairwise(shown))


# The links ----------------------------------------------------------------------------------------------------------


class Echo:
    """A server that sends back whatever it got; ``got`` is all of it."""

    def __init__(self) -> None:
        self.got = b""
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionResetError):
            while data := await reader.read(1000):
                self.got += data
                writer.write(data)
        self.ended.set()
        writer.close()


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Echo, Proxy, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A client, the proxy, and an echo behind it."""
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    proxy = await opened(server.sockets[0].getsockname()[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield echo, proxy, reader, writer
    finally:
        writer.close()
        await proxy.close()
        server.close()


@pytest.mark.parametrize("octets", [1, 2, 17, 4095])
async def test_a_link_is_cut_right_behind_the_octet_on_the_way_up(octets: int) -> None:
    sent = bytes(n % 251 for n in range(5000))
    async with linked() as (echo, proxy, _, writer):
        cut = asyncio.create_task(proxy.cut_after(octets, Direction.UP, within_s=5))
        await asyncio.sleep(0)
        writer.write(sent)
        assert await cut
        await asyncio.wait_for(echo.ended.wait(), 5)
        assert echo.got == sent[:octets]


@pytest.mark.parametrize("octets", [1, 100, 4999])
async def test_a_link_is_cut_right_behind_the_octet_on_the_way_down(octets: int) -> None:
    sent = bytes(n % 251 for n in range(5000))
    async with linked() as (_, proxy, reader, writer):
        cut = asyncio.create_task(proxy.cut_after(octets, Direction.DOWN, within_s=5))
        await asyncio.sleep(0)
        writer.write(sent)
        assert await cut
        assert await asyncio.wait_for(reader.read(-1), 5) == sent[:octets]


async def test_a_link_on_which_nothing_passes_is_cut_all_the_same() -> None:
    async with linked() as (_, proxy, reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        assert not await proxy.cut_after(10, Direction.UP, within_s=0.01)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), 5)


async def test_a_black_hole_takes_everything_gives_nothing_and_hangs_up_in_the_end() -> None:
    async with linked() as (echo, proxy, reader, writer):
        hole = asyncio.create_task(proxy.black_hole(0.1))
        await asyncio.sleep(0)
        writer.write(b"anybody there?")
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), 5)
        await hole
        assert echo.got == b""


async def test_whoever_resets_a_link_is_heard_on_the_other_side() -> None:
    async with linked() as (echo, _, reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        end: socket.socket = writer.get_extra_info("socket")
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.wait_for(echo.ended.wait(), 5)


@pytest.mark.parametrize("turns", range(12))
async def test_closing_leaves_nothing_of_a_connection_that_was_just_coming(turns: int) -> None:
    before = asyncio.all_tasks()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        proxy = await opened(silent.getsockname()[1])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
            for _ in range(turns):
                await asyncio.sleep(0)  # on its way from the door to the other side, it is a little further each time
            await asyncio.wait_for(proxy.close(), 5)
            assert asyncio.all_tasks() == before
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""


async def test_closing_hangs_up_while_everything_is_held_back() -> None:
    async with linked() as (_, proxy, reader, writer):
        proxy.delay_s = 3600.0
        writer.write(b"on its way")
        await asyncio.sleep(0)
        await asyncio.wait_for(proxy.close(), 5)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(1), 5)


# What is kept running ------------------------------------------------------------------------------------------------

READY_UNTIL_KILLED = "import signal; print('ready', flush=True); signal.pause()"
READY_AND_GONE = "print('ready', flush=True)"


class Starts:
    """Starts a Python program anew each time; the first ``gone`` times one that ends by itself."""

    def __init__(self, logs: Path, gone: int) -> None:
        self.children: list[Child] = []
        self.another = asyncio.Event()
        self._logs = logs
        self._gone = gone

    async def start(self) -> Child:
        program = READY_AND_GONE if len(self.children) < self._gone else READY_UNTIL_KILLED
        self.children.append(await processes.start("part", "-c", program, log_dir=self._logs))
        self.another.set()
        return self.children[-1]

    async def until(self, count: int) -> None:
        while len(self.children) < count:
            self.another.clear()
            await asyncio.wait_for(self.another.wait(), 10)


async def test_what_ends_by_itself_is_started_again_and_counted(tmp_path: Path) -> None:
    starts, said = Starts(tmp_path, gone=1), list[str]()
    part = Part("part", starts.start, said.append)
    await part.up()
    await starts.until(2)
    assert (part.fell, said) == (1, ["part ended by itself with exit code 0 and is started again"])
    await part.leave_alone()
    await starts.children[-1].kill()


async def test_what_we_kill_is_started_again_and_not_held_against_it(tmp_path: Path) -> None:
    starts = Starts(tmp_path, gone=0)
    part = Part("part", starts.start, lambda _: None)
    await part.up()
    await part.kill_for(0)
    assert (part.fell, [child.process.returncode for child in starts.children]) == (0, [-9, None])
    await part.leave_alone()
    await starts.children[-1].kill()


# The judge ------------------------------------------------------------------------------------------------------------


def made(number: int, *, condition: str | None = None, value: int = 120) -> Made:
    at = NOW + timedelta(seconds=10 * number)
    return Made(
        id=f"r{number}",
        device=cast.METER,
        user=None,
        figures=(("value", value),),
        at=at,
        shown=at.replace(tzinfo=None) + SKEW,
        patient=cast.ADA,
        condition=condition,
        round=0,
    )


def row(of: Made) -> Stored:
    """As it should be stored."""
    return Stored(
        reading_id=f"id-of-{of.id}",
        device=of.device,
        user=of.user,
        figures=of.figures,
        reported=of.shown.replace(microsecond=0),
        effective=of.at,
        patient=of.patient,
    )


MADE = [made(1), made(2), made(3, condition="hyperglycaemia_extreme", value=260)]
ALERTS = [Alerted(reading_id="id-of-r3", condition="hyperglycaemia_extreme", case_id="c1")]
CASES = [Case(case_id="c1", patient=cast.ADA, condition="hyperglycaemia_extreme")]
RIGHT = Found(stored=[row(each) for each in MADE], alerts=ALERTS, cases=CASES)


def judged(found: Found, truth: Truth | None = None) -> Verdict:
    return judge(truth or Truth(made=MADE), found, RESOLUTION)


def with_stored(*stored: Stored) -> Found:
    return replace(RIGHT, stored=stored)


def test_what_is_right_is_found_right() -> None:
    verdict = judged(RIGHT)
    assert verdict.wrong == []
    assert (verdict.made, verdict.stored, verdict.cases_expected, verdict.cases_opened) == (3, 3, 1, 1)


def test_a_row_that_is_missing_is_a_reading_lost() -> None:
    verdict = judged(with_stored(*RIGHT.stored[1:]))
    assert verdict.lost == 1
    assert verdict.wrong[0].startswith("lost: r1 ")


def test_a_row_that_is_there_twice_is_a_reading_doubled() -> None:
    verdict = judged(with_stored(*RIGHT.stored, replace(RIGHT.stored[0], reading_id="again")))
    assert (verdict.doubled, verdict.lost) == (1, 0)
    assert "again" in verdict.wrong[0]


def test_a_row_that_nobody_measured_is_found() -> None:
    verdict = judged(with_stored(*RIGHT.stored, replace(RIGHT.stored[0], reading_id="new", figures=(("value", 99),))))
    assert verdict.doubled == 1


def test_a_row_of_another_patient_is_misattributed() -> None:
    verdict = judged(with_stored(replace(RIGHT.stored[0], patient=cast.BEN), *RIGHT.stored[1:]))
    assert (verdict.misattributed, verdict.lost, verdict.doubled) == (1, 0, 0)


def test_a_row_that_is_a_minute_off_is_misdated() -> None:
    off = replace(RIGHT.stored[0], effective=NOW + timedelta(seconds=70))
    verdict = judged(with_stored(off, *RIGHT.stored[1:]))
    assert (verdict.misdated, verdict.lost, verdict.doubled) == (1, 0, 0)


def test_two_cases_of_one_episode_are_found() -> None:
    other = made(4, condition="hyperglycaemia_extreme", value=270)
    found = Found(
        stored=[*RIGHT.stored, row(other)],
        alerts=[*ALERTS, Alerted(reading_id="id-of-r4", condition="hyperglycaemia_extreme", case_id="c2")],
        cases=[*CASES, Case(case_id="c2", patient=cast.ADA, condition="hyperglycaemia_extreme")],
    )
    verdict = judged(found, Truth(made=[*MADE, other]))
    assert (verdict.cases_expected, verdict.cases_opened) == (1, 2)
    assert verdict.wrong == [
        f"cases of the episode (0, '{cast.ADA}', 'hyperglycaemia_extreme'): ['c1', 'c2'], not exactly one"
    ]


def test_one_case_of_two_episodes_is_found() -> None:
    later = replace(made(4, condition="hyperglycaemia_extreme", value=270), round=1)
    joined = Alerted(reading_id="id-of-r4", condition="hyperglycaemia_extreme", case_id="c1")
    found = Found(stored=[*RIGHT.stored, row(later)], alerts=[*ALERTS, joined], cases=CASES)
    assert "is of two episodes" in judged(found, Truth(made=[*MADE, later])).wrong[0]


def test_an_episode_without_a_case_is_found_and_so_is_a_case_without_an_episode() -> None:
    wrong = judged(replace(RIGHT, alerts=[], cases=CASES)).wrong
    assert [sentence.partition(":")[0] for sentence in wrong[:1]] == ["no alert"]
    assert wrong[-1] == f"case c1 ({cast.ADA}, hyperglycaemia_extreme) is of no episode"


def test_each_reading_that_wants_confirming_has_one_timer() -> None:
    high = made(4, condition="hyperglycaemia_urgent", value=350)
    found = replace(RIGHT, stored=[*RIGHT.stored, row(high)])
    timer = Timed(reading_id="id-of-r4", condition="hyperglycaemia_urgent")
    truth = Truth(made=[*MADE, high])
    once = judged(replace(found, timers=[timer]), truth)
    assert (once.wrong, once.timers_expected, once.timers_started) == ([], 1, 1)
    assert judged(found, truth).wrong[0].startswith("no timer: r4 ")
    assert judged(replace(found, timers=[timer, timer]), truth).wrong == [
        "timer of id-of-r4 (hyperglycaemia_urgent): 2, not one"
    ]
    assert judged(replace(RIGHT, timers=[timer])).wrong == [
        "timer of id-of-r4 (hyperglycaemia_urgent): 1, but none is needed"
    ]


def held(of: Made, reason: str = "unknown_timeline") -> Held:
    return Held(f"id-of-{of.id}", of.device, of.user, of.figures, row(of).reported, reason, of.at)


def test_quarantine_is_right_where_the_gateways_clock_was_wrong_and_nowhere_else() -> None:
    found = replace(with_stored(*RIGHT.stored[1:]), held=[held(MADE[0])])
    jump = Jump(NOW, NOW + timedelta(seconds=15), timedelta(days=400))
    excused = judged(found, Truth(made=MADE, jumps=[jump]))
    assert (excused.wrong, excused.lost, excused.quarantined) == ([], 0, {"unknown_timeline": 1})
    assert judged(found).wrong[0].startswith("quarantined without need: r1 ")
    undecodable = replace(found, held=[held(MADE[0], "undecodable")])
    assert judged(undecodable, Truth(made=MADE, jumps=[jump])).wrong[0].startswith("quarantined without need")


def test_a_reading_that_is_stored_and_in_quarantine_is_doubled() -> None:
    assert judged(replace(RIGHT, held=[held(MADE[0])])).doubled == 1


def test_equal_readings_are_told_apart_by_their_times() -> None:
    twins = [made(1), made(2)]
    stored = [row(each) for each in reversed(twins)]
    assert judged(Found(stored=stored), Truth(made=twins)).wrong == []


def test_of_two_rows_near_the_turn_of_a_second_each_measurement_gets_its_own() -> None:
    first = replace(made(1), at=NOW + timedelta(seconds=0.74), shown=NOW.replace(tzinfo=None) + timedelta(seconds=0.74))
    second = replace(first, id="r2", at=first.at + timedelta(seconds=1), shown=first.shown + timedelta(seconds=1))
    jump = Jump(NOW, NOW + timedelta(seconds=15), timedelta(days=400))
    found = Found(stored=[row(second)], held=[held(first)])
    assert judged(found, Truth(made=[first, second], jumps=[jump])).wrong == []


# The command ----------------------------------------------------------------------------------------------------------


def said(*arguments: str) -> str:
    command = [sys.executable, "-m", "deploy.chaos", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_kinds_are_listed_with_a_sentence_each() -> None:
    assert [line.split()[0] for line in said("--list").splitlines()] == list(Kind)


def test_a_plan_is_printed_without_being_run() -> None:
    lines = [json.loads(line) for line in said("--plan", "--faults", "9", "--seed", "5").splitlines()]
    assert sum("fault" in line for line in lines) == 9
    assert said("--plan", "--faults", "9", "--seed", "5").splitlines() == [json.dumps(line) for line in lines]


def test_episodes_meet_conditions_that_the_product_knows() -> None:
    rng = Random(7)  # noqa: S311 -- any figures will do
    limits = of_programme(*STANDARD_REGIMES).limits
    for condition, figures in {**GLUCOSE, **PRESSURES}.items():
        shown = dict(figures(rng))
        reading = (
            glucose(str(shown["value"]))
            if "value" in shown
            else pressure(str(shown["systolic"]), str(shown["diastolic"]), pulse=str(shown["pulse"]))
        )
        said = on_reading(quantities(reading), limits, NOW, NOW)
        assert {one.condition for one in said.findings} == {condition} & OPENS_AT_ONCE
        assert {timer.limit.condition for timer in said.timers} == {condition} & STARTS_A_TIMER
