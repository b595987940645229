"""The limits of technical alarm conditions: each with its value, its unit and why it is that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta


def _why(unit: str, why: str) -> Mapping[str, str]:
    return {"unit": unit, "why": why}


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalLimits:
    """The limits in force. ``dataclasses.fields`` gives unit and why of each in its metadata. All are our proposals."""

    component_silent: timedelta = field(
        default=timedelta(seconds=35),
        metadata=_why("s", "our processes say that they are there each 10 s: three beats and some slack"),
    )
    broker_lost: timedelta = field(
        default=timedelta(seconds=30),
        metadata=_why("s", "a worker connects again within 5 s; a broker that restarts needs some more"),
    )
    ingest_lag_s: float = field(
        default=30.0, metadata=_why("s", "a reading is stored within 0.5 s as a rule; half a minute is a queue")
    )
    gateway_silent: timedelta = field(
        default=timedelta(minutes=5),
        metadata=_why("min", "a gateway says how it is each 60 s: five times nothing is no lost message"),
    )
    gateway_said_goodbye: timedelta = field(
        default=timedelta(minutes=2),
        metadata=_why("min", "the last will is sent for each lost connection; a router restarts within 2 min"),
    )
    disk_free_octets: int = field(
        default=100 * 1024 * 1024,
        metadata=_why("octets", "some 100,000 readings: weeks in which somebody can look after the disk"),
    )
    clock_offset_s: float = field(
        default=60.0,
        metadata=_why("s", "an unsynchronised clock dates readings only where it agrees with ours within a minute"),
    )
    own_certificate_soon: timedelta = field(
        default=timedelta(days=30),
        metadata=_why("d", "nobody renews these but a person: a month has a day on which somebody is there to do it"),
    )
    certificate_soon: timedelta = field(
        default=timedelta(days=14),
        metadata=_why("d", "a gateway renews well before: with two weeks left it has failed many times"),
    )
    certificate_very_soon: timedelta = field(
        default=timedelta(days=3),
        metadata=_why("d", "time for a visit: whoever lets it run out has to enrol the gateway again"),
    )
    unsent_s: int = field(
        default=900,
        metadata=_why("s", "a message without receipt is sent again after 30 s, doubling: by 15 min it went"),
    )
    heard_unread: timedelta = field(
        default=timedelta(hours=1),
        metadata=_why("h", "a device that fails is tried again at least each 10 min: six times it did not work"),
    )
    watched_enough: timedelta = field(
        default=timedelta(hours=24),
        metadata=_why("h", "a device with a radio is heard when it is used: once within a day of a schedule"),
    )
    backlog_travels: timedelta = field(
        default=timedelta(minutes=10),
        metadata=_why("min", "readings may still be on their way when a device says that it was read to its end"),
    )


DEFAULT_LIMITS = TechnicalLimits()
