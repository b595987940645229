"""Kill -9 of the ingest, of the gateway and of the broker in the middle of 500 readings."""

import asyncio
from collections.abc import Callable

from cloud.db.connect import Connection
from deploy.demo.cast import HomeDevice
from deploy.demo.road import Road
from deploy.services.source import OwnBroker
from gateway.outbox import Outbox

READINGS = 500
MINUTE = 60

# A reading every ten minutes, 500 of them, the newest a minute old. Three episodes among otherwise quiet values: at
# night below 70, last week below 54, and now above the limit that the doctor has set.
NIGHT, LAST_WEEK, NOW = range(40, 52), range(430, 433), range(3)


def value(index: int) -> int:
    """The reading that is so many from the newest; no two neighbours are equal."""
    if index in NOW:
        return 301 + index
    if index in NIGHT:
        return 55 + index - NIGHT.start
    if index in LAST_WEEK:
        return 48 + index - LAST_WEEK.start
    return 100 + index % 97


METER = HomeDevice(
    "serial-glucometer",
    "lifescan-onetouch-ultramini",
    "serial",
    "DEMO00001",
    "pavel.novak",
    tuple({"age_s": MINUTE + index * 10 * MINUTE, "value": str(value(index))} for index in range(READINGS)),
)


async def test_nothing_is_lost_or_doubled_when_ingest_gateway_and_broker_are_killed(
    road: Road, passwords: dict[str, str], sql: Connection, broker: OwnBroker
) -> None:
    ingest = await road.ingest()
    simulated = await road.simulators([METER], reply_delay_s=0.005)
    gateway = await road.home([METER], simulated)

    await reaches(sql, 80)
    await ingest.kill()
    await road.ingest()

    await reaches(sql, 180)
    await gateway.kill()
    await road.home([METER], simulated)

    await reaches(sql, 300)
    broker.kill()
    broker.start()

    await reaches(sql, READINGS)
    await until(lambda: depth(road) == 0, "every outbox row is freed")
    rows, different, known = one(
        sql, "SELECT (SELECT count(*) FROM glucose), (SELECT count(DISTINCT reading_id) FROM glucose),"
        " (SELECT count(*) FROM ledger)"
    )  # fmt: skip
    assert (rows, different, known) == (READINGS, READINGS, READINGS)
    values = [row[0] for row in sql.execute("SELECT value::int FROM glucose ORDER BY effective_time DESC")]
    assert values == [value(index) for index in range(READINGS)]
    cases = sql.execute(
        "SELECT condition, count(*), (SELECT count(*) FROM alert a WHERE a.condition = c.condition)"
        " FROM alert_case c GROUP BY condition ORDER BY condition"
    ).fetchall()
    assert cases == [
        ("hypoglycaemia_level_1", 1, len(NIGHT)),
        ("hypoglycaemia_level_2", 1, len(LAST_WEEK)),
    ]
    timers = sql.execute("SELECT condition, count(*), count(DISTINCT reading_id) FROM remeasure GROUP BY condition")
    assert timers.fetchall() == [("hyperglycaemia_urgent", len(NOW), len(NOW))]


async def reaches(sql: Connection, count: int) -> None:
    await until(lambda: one(sql, "SELECT count(*) FROM glucose")[0] >= count, f"{count} readings are stored")


async def until(condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 -- another process makes it true
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"after {timeout_s:g} s it did not hold that {what}") from None


def one(sql: Connection, query: str) -> tuple[int, ...]:
    row = sql.execute(query.encode()).fetchone()
    assert row is not None
    return tuple(row)


def depth(road: Road) -> int:
    box = Outbox.read_only(road.outbox)
    try:
        return box.depth().rows
    finally:
        box.close()
