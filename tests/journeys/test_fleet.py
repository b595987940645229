"""What is technically wrong is found, named and blamed on nobody else: with real processes that are killed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from cloud.db.connect import Connection
from deploy.demo.cast import HomeDevice
from deploy.demo.road import Road
from gateway.config import Intervals

PATIENCE_S = 60.0
# A device has its name there once a session of it has come from this gateway.
TOLD = "SELECT count(*) FROM gateway_device WHERE complete_at IS NOT NULL AND device_id IS NOT NULL"
BEAT_S = 0.5
# Everything is told and judged each second or so; what a minute's silence means in a home, some seconds mean here.
FAST = Intervals(serial_visit_s=1.0, ble_cooldown_s=1.0, backoff_max_s=2.0, heartbeat_s=1.0)
LIMITS = "component_silent=6 gateway_silent=8 gateway_said_goodbye=2 broker_lost=6 backlog_travels=20"

METER = HomeDevice(
    "serial-glucometer",
    "lifescan-onetouch-ultramini",
    "serial",
    "DEMO00001",
    "pavel.novak",
    # Days ago: what is missing since then has been missing for longer than anybody waits with a call.
    ({"age_s": 4 * 86_400, "value": "104"}, {"age_s": 5 * 86_400, "value": "97"}),
)


@pytest.fixture
def quick_road(road: Road) -> Road:
    """The road, with processes that say often how they are."""
    road.intervals = FAST
    road.beat_every_s = BEAT_S
    return road


async def test_who_is_away_is_blamed_and_nobody_else(
    quick_road: Road, passwords: dict[str, str], sql: Connection
) -> None:
    road = quick_road
    ingest = await road.ingest()
    await road.jobs(1, LIMITS)
    gateway = await road.home([METER], await road.simulators([METER]))
    await until(lambda: one(sql, "SELECT count(*) FROM glucose") == 2, "both readings are stored")
    await until(lambda: one(sql, TOLD) == 1, "it is told")
    await until(lambda: is_judged(sql), "the fleet was judged")
    assert alarms(sql) == {}

    # Nobody measures: a nurse hears of it, and the technical queue does not.
    sql.execute(
        "INSERT INTO measurement_slot (patient_id, kind, at, valid)"
        " SELECT patient_id, 'glucose', '12:00', tstzrange(now() - interval '9 days', NULL)"
        " FROM device_assignment WHERE device_id = %s",
        (device_id(sql),),
    )
    await until(
        lambda: one(sql, "SELECT count(*) FROM alert_case WHERE condition = 'missing_measurement'") == 1, "a case"
    )
    assert alarms(sql) == {}

    # The gateway dies: its device's silence is its own, and hides behind it.
    await gateway.kill()
    await until(lambda: alarms(sql).get("gateway_away", "") is None, "the gateway is away")
    await until(lambda: alarms(sql).get("device_silent") == "gateway_away", "its device's silence hides behind it")
    await road.home([METER], await road.simulators([METER]))
    await until(lambda: alarms(sql) == {}, "all is well again")

    # Our side dies: no gateway is blamed for that.
    await ingest.kill()
    await until(lambda: alarms(sql).get("component_down", "") is None, "our side is down")
    await stays(lambda: "gateway_away" not in alarms(sql), 5.0)
    await road.ingest()
    await until(lambda: alarms(sql) == {}, "our side is up")
    await stays(lambda: "gateway_away" not in alarms(sql), 3.0)
    raised = sql.execute("SELECT count(*) FROM technical_alarm WHERE condition = 'gateway_away'").fetchone()
    assert raised == (1,)
    assert one(sql, "SELECT count(*) FROM alert_case WHERE condition = 'missing_measurement'") == 1


async def test_a_worker_that_ends_in_order_is_not_missed(
    quick_road: Road, passwords: dict[str, str], sql: Connection
) -> None:
    road = quick_road
    await road.ingest()
    second = await road.ingest("ingest-2")
    await until(lambda: one(sql, "SELECT count(*) FROM component WHERE kind = 'ingest'") == 2, "both are there")
    await second.stop()

    assert one(sql, "SELECT count(*) FROM component WHERE kind = 'ingest'") == 1


async def test_a_device_that_no_profile_fits_is_named_with_its_own_words(
    quick_road: Road, passwords: dict[str, str], sql: Connection
) -> None:
    road = quick_road
    await road.ingest()
    await road.jobs(1, LIMITS)
    # Another model than the configuration says is plugged in: what answers is known to no profile of the home's.
    breeze = replace(METER, profile="ascensia-breeze-2")
    simulated = await road.simulators([breeze])
    await road.home([replace(METER, profile="ascensia-contour")], simulated)

    await until(lambda: "device_unknown_model" in alarms(sql), "the strange device is named")
    sentence = sql.execute("SELECT sentence FROM technical_alarm WHERE condition = 'device_unknown_model'").fetchone()
    assert sentence is not None
    assert "serial-glucometer" in sentence[0]
    assert "It says: model Bayer6116." in sentence[0]

    # The right profile is chosen: all is well.
    await road.children.pop().stop()
    await road.home([breeze], simulated)
    await until(lambda: one(sql, "SELECT count(*) FROM ledger") == 2, "it is read")
    await until(lambda: alarms(sql) == {}, "nothing is wrong any more")


def alarms(sql: Connection) -> dict[str, str | None]:
    """The conditions in force, each with what hides it."""
    rows = sql.execute("SELECT condition, inhibited_by FROM technical_alarm WHERE resolved_at IS NULL")
    return dict(rows.fetchall())


def device_id(sql: Connection) -> str:
    """The meter's."""
    row = sql.execute("SELECT device_id FROM gateway_device").fetchone()
    assert row is not None
    return str(row[0])


def is_judged(sql: Connection) -> bool:
    """Whether a judgement took place at all."""
    row = sql.execute("SELECT detail ->> 'judged_at' FROM component WHERE kind = 'jobs'").fetchone()
    return row is not None and row[0] is not None


def one(sql: Connection, query: str) -> int:
    """The only figure of the only row."""
    row = sql.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


async def until(condition: Callable[[], bool], what: str) -> None:
    """Return once it holds."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 -- another process makes it true
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"after {PATIENCE_S:g} s it did not hold that {what}") from None


async def stays(condition: Callable[[], bool], seconds: float) -> None:
    """It holds all the while."""
    try:
        async with asyncio.timeout(seconds):
            while condition():  # noqa: ASYNC110 -- another process could make it false
                await asyncio.sleep(0.05)
    except TimeoutError:
        return
    raise AssertionError("it did not stay so")
