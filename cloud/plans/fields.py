"""Fields of forms, read and checked: what is wrong is said at the field, by a code with its figures. Pure.

Whatever reads a field adds what is wrong with it to ``refusals``, and gives None where nothing can be taken.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Final, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from alerting.duty import instant_of

Form = Mapping[str, str]
T = TypeVar("T")

LONGEST_REASON: Final = 500
LONGEST_LINK: Final = 500
_NUMBER: Final = re.compile(r"\d{1,4}([.,]\d{1,2})?")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
# Of no month before is there anything to count; whoever writes 2206 instead of 2026 hears of it.
_FIRST_YEAR: Final = 2020
_LAST_YEAR: Final = 2199
# No zone's day is further than that from UTC's.
_ZONES_APART: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a field was not taken: a code with its figures; the page has the words."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """What was typed cannot be taken. ``refusals`` by field, and the form with what was ``typed``, to be mended."""

    def __init__(self, form: str, refusals: Mapping[str, Refusal], typed: Form) -> None:
        super().__init__(f"{form}: {', '.join(refusals)}")
        self.form = form
        self.refusals = refusals
        self.typed = typed


# Numbers and choices --------------------------------------------------------------------------------------------------


def number(text: str) -> Decimal | None:
    """A number of at most four digits and two decimals; a comma is as good as a point."""
    text = text.strip()
    return Decimal(text.replace(",", ".")) if text.isascii() and _NUMBER.fullmatch(text) else None


def whole(form: Form, name: str, low: int, high: int, refusals: dict[str, Refusal]) -> int | None:
    """A whole number from ``low`` to ``high``, in the digits 0 to 9; else ``out_of_range``."""
    text = form.get(name, "").strip()
    if _WHOLE.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    refusals[name] = Refusal("out_of_range", {"low": str(low), "high": str(high)})
    return None


def id_of(text: str) -> UUID | None:
    """The id that a page of ours sent; None: it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def chosen(form: Form, name: str, choices: Mapping[UUID, T], refusals: dict[str, Refusal]) -> T | None:
    """What was chosen by its id; ``choose`` where it is none of these."""
    by_text = {str(key): choice for key, choice in choices.items()}
    choice = by_text.get(form.get(name, ""))
    if choice is None:
        refusals[name] = Refusal("choose")
    return choice


# Words ----------------------------------------------------------------------------------------------------------------


def reason(form: Form, refusals: dict[str, Refusal], name: str = "reason") -> str:
    """A text that must be there: ``no_reason``, ``too_long``."""
    said = text(form, name, LONGEST_REASON, refusals, may_be_empty=True)
    if not said:
        refusals[name] = Refusal("no_reason")
    return said


def text(form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False) -> str:
    """A text of one line or more, without what surrounds it: ``missing``, ``too_long``."""
    return _said(name, form.get(name, "").strip(), longest, refusals, may_be_empty)


def line(form: Form, name: str, longest: int, refusals: dict[str, Refusal], *, may_be_empty: bool = False) -> str:
    """A text of one line, its words one space apart: ``missing``, ``too_long``."""
    return _said(name, " ".join(form.get(name, "").split()), longest, refusals, may_be_empty)


def link(form: Form, name: str, refusals: dict[str, Refusal]) -> str:
    """An address by https, as it was typed; empty where none was. ``not_a_link``, ``too_long``."""
    said = text(form, name, LONGEST_LINK, refusals, may_be_empty=True)
    if said and not _is_plainly_https(said):
        refusals[name] = Refusal("not_a_link")
    return said


def _said(name: str, said: str, longest: int, refusals: dict[str, Refusal], may_be_empty: bool) -> str:
    if not said and not may_be_empty:
        refusals[name] = Refusal("missing")
    elif len(said) > longest:
        refusals[name] = Refusal("too_long", {"most": str(longest)})
    return said


def _is_plainly_https(said: str) -> bool:
    # A browser takes a backslash for a slash: the host that we read would not be the one it goes to.
    if not said.isprintable() or " " in said or "\\" in said:
        return False
    try:
        parts = urlsplit(said)
        # A name and password in a link are shown nowhere, and go wherever the link says.
        return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:  # brackets of an IPv6 address that is none, or a port that is none
        return False


# Days and times -------------------------------------------------------------------------------------------------------


def day(
    form: Form,
    name: str,
    first: date,
    last: date,
    refusals: dict[str, Refusal],
    *,
    early: str = "past",
    late: str = "too_far",
) -> date | None:
    """A day from ``first`` to ``last``; else ``not_a_date``, or the code ``early`` or ``late``."""
    try:
        found = date.fromisoformat(form.get(name, "").strip())
    except ValueError:
        refusals[name] = Refusal("not_a_date")
        return None
    if first <= found <= last:
        return found
    refusals[name] = Refusal(early if found < first else late)
    return None


def month(text: str) -> date | None:
    """The first day of a month, as 2026-10; None: it is none, or of another century."""
    try:
        found = date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def clock(form: Form, name: str, refusals: dict[str, Refusal]) -> time | None:
    """A time of day to the minute, as a clock on the wall shows it; else ``not_a_time``."""
    try:
        at = time.fromisoformat(form.get(name, "").strip())
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or at.second or at.microsecond:
        refusals[name] = Refusal("not_a_time")
        return None
    return at


def wall_clock(text: str) -> datetime | None:
    """A day and a time as a clock on the wall shows them; None: it is none, or says its own offset from UTC."""
    try:
        wall = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return wall.replace(microsecond=0) if wall.tzinfo is None else None


def moment(
    form: Form, name: str, zone: tzinfo, now: datetime, furthest: timedelta, refusals: dict[str, Refusal]
) -> datetime | None:
    """The instant (UTC) of a time on this zone's clocks, ``instant_of`` where they change: ``not_a_moment``,
    ``too_far`` from now, before or after.
    """
    wall = wall_clock(form.get(name, ""))
    # Days first: at the edges of the calendar no zone can be reckoned with.
    if wall is None:
        refusals[name] = Refusal("not_a_moment")
    elif not now.date() - furthest < wall.date() < now.date() + furthest:
        refusals[name] = Refusal("too_far")
    else:
        return instant_of(wall.date(), wall.time(), zone)
    return None


def to_come(
    form: Form, name: str, zone: tzinfo, now: datetime, furthest: timedelta, refusals: dict[str, Refusal]
) -> datetime | None:
    """The instant (UTC) of a time still to come that people are to keep. One that this zone's clocks skip or show twice
    is asked for again (``clocks_change``): ``not_a_moment``, ``past``, ``too_far``.
    """
    wall = wall_clock(form.get(name, ""))
    # Days first: at the edges of the calendar no zone can be reckoned with.
    if wall is None:
        code = "not_a_moment"
    elif wall.date() < now.date() - _ZONES_APART:
        code = "past"
    elif wall.date() > now.date() + furthest + _ZONES_APART:
        code = "too_far"
    else:
        first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            code = "clocks_change"
        elif first <= now:
            code = "past"
        elif first > now + furthest:
            code = "too_far"
        else:
            return first.astimezone(UTC)
    refusals[name] = Refusal(code)
    return None
