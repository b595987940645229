"""Every word that the console says about a code, in one place; templates mark theirs with ``_()`` for Babel.

Unknown codes are spoken as they are, with spaces: a flag that a new device sends is shown, not lost.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

SIGN_IN_REFUSALS: Final[Mapping[str, str]] = {
    "wrong": "This login and password do not fit together.",
    "throttled": "Too many attempts. Wait 15 minutes, then try again.",
}

PRIORITIES: Final[Mapping[str, str]] = {"high": "High", "medium": "Medium", "low": "Low"}

STATES: Final[Mapping[str, str]] = {
    "raised": "New",
    "acknowledged": "Acknowledged",
    "in_progress": "In progress",
    "escalated": "Escalated",
    "resolved": "Resolved",
    "expired": "Expired",
}

CONDITIONS: Final[Mapping[str, str]] = {
    "hypoglycaemia_level_2": "Very low glucose",
    "hypoglycaemia_level_1": "Low glucose",
    "hyperglycaemia_urgent": "Very high glucose",
    "hyperglycaemia": "High glucose",
    "ketones_very_high": "Very high ketones",
    "ketones_high": "High ketones",
    "severe_hypertension_systolic": "Very high systolic pressure",
    "hypertension_systolic": "High systolic pressure",
    "severe_hypertension_diastolic": "Very high diastolic pressure",
    "severe_hypotension_systolic": "Very low systolic pressure",
    "hypotension_systolic": "Low systolic pressure",
    "bradycardia": "Slow pulse",
    "tachycardia": "Fast pulse",
    "missing_measurement": "No measurement",
}

RELATIONS: Final[Mapping[str, str]] = {"below": "below", "above": "above", "at_or_above": "at or above"}

UNITS: Final[Mapping[str, str]] = {"mm[Hg]": "mmHg", "/min": "/min"}

QUANTITY_STATES: Final[Mapping[str, str]] = {
    "above_range": "HI",
    "below_range": "LO",
    "not_a_number": "Failed measurement",
    "not_at_this_resolution": "Failed measurement",
    "positive_infinity": "Failed measurement",
    "negative_infinity": "Failed measurement",
    "reserved": "Failed measurement",
}

SAMPLES: Final[Mapping[str, str]] = {"control_solution": "Control solution", "test": "Test"}

TIME_QUALITIES: Final[Mapping[str, str]] = {
    "synchronised": "clock right",
    "mapped": "clock off, corrected",
    "unknown_timeline": "time unknown",
    "implausible": "time implausible",
}

QUARANTINE_REASONS: Final[Mapping[str, str]] = {
    "undecodable": "Cannot be read",
    "unknown_version": "Unknown version",
    "unknown_gateway": "Unknown gateway",
    "unassigned_device": "Device without a patient",
    "impossible_value": "Impossible value",
    "impossible_time": "Impossible time",
    "unknown_timeline": "Time unknown",
    "content_mismatch": "Content does not fit",
    "refused_by_database": "Refused by the database",
}

ROLES: Final[Mapping[str, str]] = {
    "nurse": "Nurse",
    "lead_nurse": "Lead nurse",
    "doctor": "Doctor",
    "coordinator": "Coordinator",
    "support": "Support",
    "auditor": "Auditor",
    "administrator": "Administrator",
    "patient": "Patient",
}

# The page's script says the same while time passes; it is given these words.
SPANS: Final[Mapping[str, str]] = {
    "moment": "under 1 min",
    "minutes": "{} min",
    "hours": "{} h {} min",
    "days": "{} d",
    "due": "due in {}",
    "overdue": "overdue by {}",
    "ago": "{} ago",
}

# What the page's script says by itself.
ANNOUNCEMENTS: Final[Mapping[str, str]] = {
    "new": "New case, priority {}: {}. {}",
    "closed": "Case closed: {}",
    "failed": "That did not work. Try again.",
    "live": "Live",
    "connecting": "Connecting",
    "lost": "Not receiving",
    "signed_out": "Signed out",
}

CONFLICTS: Final[Mapping[str, str]] = {
    "taken": "{owner} was faster.",
    "not_yours": "Only {owner} can resolve it.",
    "closed": "Already closed.",
    "gone": "It has gone by itself.",
    "not_now": "Not possible in this state.",
}


# What is technically wrong; the sentence of the alarm says the rest.
TECHNICAL_CONDITIONS: Final[Mapping[str, str]] = {
    "component_down": "Process down",
    "broker_unreachable": "Broker out of reach",
    "ingest_behind": "Readings are stored late",
    "gateway_away": "Gateway away",
    "gateway_storage": "Gateway’s disk",
    "gateway_clock": "Gateway’s clock",
    "gateway_certificate": "Gateway’s certificate",
    "gateway_backlog": "Unsent readings",
    "device_silent": "Silent device",
    "device_battery": "Device’s battery",
    "device_unknown_model": "Unknown device",
    "reconciliation_gap": "Missing readings",
}

# Why nothing comes from a patient's device, for a nurse.
SILENCES: Final[Mapping[str, str]] = {
    "nobody_measured": "Nobody measured.",
    "device_silent": "The device does not answer: battery or pairing.",
    "gateway_away": "The gateway in the home is away.",
    "our_side_down": "Our side is down.",
}

SUBJECT_KINDS: Final[Mapping[str, str]] = {
    "gateway": "gateway",
    "device": "device",
    "roster": "device",
    "component": "our process",
}

RANGE: Final = "{} to {}"
MOST_RANGES: Final = 8

# The network and the broker take their part of a second; less than this is no offset.
CLOCK_RIGHT_WITHIN_S: Final = 5
CLOCK_OFFSETS: Final[Mapping[str, str]] = {"right": "right", "ahead": "{} ahead", "behind": "{} behind"}
DAYS_LEFT: Final[Mapping[str, str]] = {"days": "{} d left", "today": "ends within a day", "ended": "ended {} ago"}

# How a gateway stands, worked out from its last word and its silence.
GATEWAY_STANDINGS: Final[Mapping[str, str]] = {
    "online": "Online",
    "silent": "Silent",
    "offline": "Offline",
    "never_seen": "Never seen",
    "revoked": "Locked out",
}

CERTIFICATE_STATES: Final[Mapping[str, str]] = {
    "valid": "Valid",
    "replaced": "Replaced, still valid",
    "not_yet_valid": "Not yet valid",
    "expired": "Expired",
    "revoked": "Revoked",
}

CERTIFICATE_WAYS: Final[Mapping[str, str]] = {"enrolment": "at enrolment", "renewal": "renewed"}

# The steps of the gateway's ladder of repairs, by bond_repair's names.
REPAIRS: Final[Mapping[str, str]] = {
    "closed": "stale connection closed",
    "forgotten": "bond removed",
    "power_cycled": "adapter switched off and on",
    "given_up": "a person was asked",
}

# How the last visit to a device ended.
VISIT_OUTCOMES: Final[Mapping[str, str]] = {
    "complete": "Read to the end",
    "cut": "Broken off",
    "unreachable": "Did not answer",
    "paired": "Paired, read at its next sign of life",
    "no_profile": "Unknown device",
    "outbox_failed": "Gateway could keep nothing",
    "defect": "Our mistake",
}


def word(code: str, words: Mapping[str, str]) -> str:
    return words.get(code) or code.replace("_", " ")


def unit(code: str) -> str:
    """A UCUM unit as people write it."""
    return UNITS.get(code, code)


def duration(span: timedelta) -> str:
    """A span in its one or two largest units: ``3 min``, ``2 h 5 min``, ``4 d``."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 1:
        return SPANS["moment"]
    if minutes < 60:
        return SPANS["minutes"].format(minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return SPANS["hours"].format(hours, minutes)
    return SPANS["days"].format(hours // 24)


def due(deadline: datetime, now: datetime) -> str:
    """``due in 12 min`` or ``overdue by 1 h 0 min``."""
    if deadline > now:
        return SPANS["due"].format(duration(deadline - now))
    return SPANS["overdue"].format(duration(now - deadline))


def local(moment: datetime, zone: str, form: str = "%d %b %Y, %H:%M") -> str:
    """A moment on the clock of an IANA zone; on UTC's, and saying so, where nobody here knows the zone."""
    try:
        return moment.astimezone(ZoneInfo(zone)).strftime(form)
    except (KeyError, ValueError, OSError):  # one patient's zone must not take everybody's worklist away
        return f"{moment.astimezone(UTC).strftime(form)} UTC"


def figure(value: Decimal | None, state: str, bound: Decimal | None, unit_code: str) -> str:
    """One figure as the device said it: ``5.40 mmol/L``, ``HI, above 600 mg/dL``, ``Failed measurement``."""
    if value is not None:
        return f"{value} {unit(unit_code)}"
    if bound is not None and state in ("above_range", "below_range"):
        side = "above" if state == "above_range" else "below"
        return f"{QUANTITY_STATES[state]}, {side} {bound} {unit(unit_code)}"
    return word(state, QUANTITY_STATES)


def subject(name: str) -> str:
    """``gateway:home-17`` as people say it: ``gateway home-17``."""
    kind, _, rest = name.partition(":")
    return f"{word(kind, SUBJECT_KINDS)} {rest}".strip()


def numbers(ranges: Iterable[Range[int]]) -> str:
    """Whole numbers of ranges whose end is not in them: ``17 to 19, 31``; at most MOST_RANGES of them."""
    spoken = [
        str(each.lower) if each.upper == each.lower + 1 else RANGE.format(each.lower, each.upper - 1)
        for each in ranges
        if each.lower is not None and each.upper is not None
    ]
    return ", ".join([*spoken[:MOST_RANGES], *(["…"] if len(spoken) > MOST_RANGES else [])])


def octets(number: int | None) -> str:
    """A size in its largest unit: ``950 MB``, ``12.3 GB``."""
    if number is None:
        return "–"
    if number < 999_500_000:
        return f"{number / 1_000_000:.0f} MB"
    return f"{number / 1_000_000_000:.1f} GB"


def clock_offset(seconds: float | None) -> str:
    """A clock beside ours: ``right``, ``12 s ahead``, ``1 h 5 min behind``."""
    if seconds is None:
        return "–"
    if abs(seconds) < CLOCK_RIGHT_WITHIN_S:
        return CLOCK_OFFSETS["right"]
    size = f"{abs(seconds):.0f} s" if abs(seconds) < 60 else duration(timedelta(seconds=abs(seconds)))
    return CLOCK_OFFSETS["ahead" if seconds > 0 else "behind"].format(size)


def days_left(until: datetime, now: datetime) -> str:
    """``62 d left``, ``ends within a day``, ``ended 3 d ago``."""
    if until <= now:
        return DAYS_LEFT["ended"].format(duration(now - until))
    days = (until - now).days
    return DAYS_LEFT["days"].format(days) if days else DAYS_LEFT["today"]
