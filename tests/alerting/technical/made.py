"""A fleet at a time, as the tests of technical conditions need it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from alerting.technical.conditions import Condition
from alerting.technical.fleet import Component, Fleet, Gateway, Holdings, RosterEntry, Use
from alerting.technical.judge import Judgement, judge

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
GATEWAY = "home-17"
DEVICE = "maker:sn:1"


def ingest(name: str = "ingest-1", **fields: Any) -> Component:
    """A worker that is there and has heard the broker for a day."""
    well = Component(name=name, kind="ingest", seen_at=NOW, broker=True, since=NOW - DAY)
    return replace(well, **fields)


def gateway(gateway_id: str = GATEWAY, **fields: Any) -> Gateway:
    """A gateway that is well."""
    well = Gateway(
        gateway_id=gateway_id,
        state="online",
        state_at=NOW,
        last_seen_at=NOW,
        outbox_depth=0,
        clock_synchronised=True,
        clock_offset_s=0.1,
        disk_free_octets=10**10,
        certificate_until=NOW + 60 * DAY,
    )
    return replace(well, **fields)


def entry(**fields: Any) -> RosterEntry:
    """A device that was read to its end just now."""
    well = RosterEntry(
        gateway_id=GATEWAY,
        name="cuff",
        profile="and-ua-651ble",
        told_at=NOW,
        device_id=DEVICE,
        visited_at=NOW,
        outcome="complete",
        complete_at=NOW,
    )
    return replace(well, **fields)


def use(**fields: Any) -> Use:
    """A patient who measures each day, and did an hour ago."""
    well = Use(
        assignment_id="a1",
        device_id=DEVICE,
        label="A&D UA-651BLE",
        since=NOW - 30 * DAY,
        measured_at=NOW - HOUR,
    )
    return replace(well, **fields)


def late_use(**fields: Any) -> Use:
    """A patient who measured the day before yesterday, and was to do so yesterday: a day's silence is looked at."""
    return use(**{"measured_at": NOW - 2 * DAY, "missed_since": NOW - DAY, "reached": DAY} | fields)


def holdings(**fields: Any) -> Holdings:
    """A device of whose 12 readings two are not there, told an hour ago."""
    return replace(
        Holdings(
            device_id=DEVICE,
            label="LifeScan OneTouch",
            holds=12,
            missing=2,
            gateway_id=GATEWAY,
            complete_at=NOW - HOUR,
            told_at=NOW - HOUR,
        ),
        **fields,
    )


def fleet(**fields: Any) -> Fleet:
    """One gateway with one device, and all is well."""
    well = Fleet(judging_since=NOW - DAY, components=[ingest()], gateways=[gateway()], roster=[entry()])
    return replace(well, **fields)


def judged(*earlier: Condition, at: datetime = NOW, **fields: Any) -> Judgement:
    """The judgement of such a fleet."""
    return judge(fleet(**fields), earlier, at)


def names(judgement: Judgement) -> dict[str, str | None]:
    """The conditions in force, each with what hides it."""
    return {condition.name: condition.inhibited_by for condition in judgement.conditions}


def only(judgement: Judgement) -> Condition:
    """The one condition in force."""
    [condition] = judgement.conditions
    return condition
