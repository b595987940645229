"""A measurement that nobody made, as a nurse reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from alerting.technical.fleet import Use
from alerting.technical.silence import Silence

# The condition of the nurse's case; its priority is low (IEC 60601-1-8: awareness).
MISSING_MEASUREMENT = "missing_measurement"


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The measurements that a patient has not made; ``since`` the oldest of them."""

    since: datetime
    sentence: str
    reason: Mapping[str, object]


def absence_of(found: Sequence[tuple[Use, Silence]], zone: tzinfo) -> Absence:
    """Of one patient, who is late with at least one device; times are spelt on the patient's own clock."""
    in_order = sorted(found, key=lambda pair: pair[1].since)
    return Absence(
        since=in_order[0][1].since,
        sentence=" ".join(_sentence(use, silence, zone) for use, silence in in_order),
        reason={
            "since": in_order[0][1].since.isoformat(),
            "uses": [
                {
                    "assignment_id": use.assignment_id,
                    "device": use.label,
                    "since": silence.since.isoformat(),
                    "every_s": use.every.total_seconds() if use.every else None,
                    "why": silence.why,
                }
                for use, silence in in_order
            ],
        },
    )


def _sentence(use: Use, silence: Silence, zone: tzinfo) -> str:
    since = f"{silence.since.astimezone(zone):%d %b %Y, %H:%M}"
    last = "Nothing measured" if use.measured_at is None or use.measured_at < silence.since else "Last measured"
    when = f"since {since}" if last == "Nothing measured" else f"on {since}"
    why = f"{silence.why[:1].upper()}{silence.why[1:]}."
    return f"{last} with {use.label} {when} ({zone}); expected {spell_every(use.every)}. {why}"


def spell_every(every: timedelta | None) -> str:
    """How often, in words: every day, every 8 h, every 3 days."""
    if every is None:
        return "at no set time"
    for unit, size in (("day", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        count, rest = divmod(every, size)
        if count and not rest:
            if unit != "day":
                return f"every {count} {unit}"
            return "every day" if count == 1 else f"every {count} days"
    return f"every {every.total_seconds():.0f} s"
