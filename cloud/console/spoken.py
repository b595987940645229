"""The tables of ``texts`` in a reader's language, and what is said with them: spans, deadlines, figures, moments."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from psycopg.types.range import Range

from alerting.sentences import sentence
from alerting.technical.said import Said, from_json, in_language
from alerting.units import AS_MEASURED, Units, converted, exactly
from cloud.alerts.reasons import from_json as reason_of
from cloud.console import texts
from cloud.language.languages import ENGLISH, known
from cloud.language.words import Words, words_of
from device_drivers.nomenclature import Unit

MOST_RANGES: Final = 8
# The network and the broker take their part of a second; less than this is no offset.
CLOCK_RIGHT_WITHIN_S: Final = 5
UNKNOWN: Final = "–"

# A form names what is shown of a moment, by an example in English; ``Words`` knows how others write it.
_FORMS: Final = {
    "%d %b %Y, %H:%M": Words.day_and_time,
    "%d %b, %H:%M": Words.short_day_and_time,
    "%d %b %Y": Words.day,
    "%A %d %B": Words.long_day,
    "%H:%M": Words.time,
}
_SINGLE: Final = {name: value for name, value in vars(texts).items() if name.isupper() and isinstance(value, Mapping)}


class Alarm(Protocol):
    """A technical alarm, as far as its sentence goes. ``said``: what it is made of (``alerting.technical.said``)."""

    @property
    def sentence(self) -> str: ...
    @property
    def said(self) -> Mapping[str, Any] | None: ...


class Reasoned(Protocol):
    """A case, or a finding of one, as far as its sentence goes. ``reason``: JSON of ``cloud.alerts.reasons``."""

    @property
    def sentence(self) -> str: ...
    @property
    def reason(self) -> Mapping[str, Any]: ...


class Spoken:
    """What the console says, in one language. ``spoken.STATES`` is ``texts.STATES`` in it, and so each other table.

    The units of its words are those that the reader wants; ``quantity`` and ``figure`` are the one place of the console
    where a figure is converted, and leave the device's own beside it.
    """

    def __init__(self, words: Words) -> None:
        self.words: Final = words
        self._tables: Mapping[str, Mapping[str, str]] = {
            name: {code: words.gettext(text) for code, text in table.items()} for name, table in _SINGLE.items()
        }

    def __getattr__(self, name: str) -> Mapping[str, str]:
        try:
            return self._tables[name]
        except KeyError:
            raise AttributeError(name) from None

    def unit(self, code: str) -> str:
        """A UCUM unit as people write it."""
        return self.UNITS[code].format("").strip() if code in self.UNITS else code

    def measured(self, number: str, unit_code: str) -> str:
        """A number with its unit: ``5.40 mmol/L``, ``72/min``."""
        return self.UNITS.get(unit_code, f"{{}} {unit_code}").format(number)

    def quantity(self, values: Sequence[Decimal], unit_code: str, measure: str, signs: bool = False) -> str:
        """Figures of one unit: ``5.40 mmol/L``, ``128/81 mmHg``; ``7.1 mmol/L (128 mg/dL)`` if that is wanted.

        ``measure``: of which measure or kind of reading; ``signs``: of differences, with a plus or minus.
        """
        said = self._plus if signs else self.number
        own = self.measured("/".join(map(said, values)), unit_code)
        wanted = self.words.units.of(measure, unit_code)
        if wanted is None:
            return own
        other = "/".join(said(converted(value, Unit(unit_code), wanted)) for value in values)
        return self.CONVERTED["both"].format(self.measured(other, wanted), own)

    def bounds(self, values: Mapping[Unit, Decimal], measure: str) -> list[str]:
        """A limit in each of its units, the reader's first: what was published for a unit is not converted."""
        wanted = {self.words.units.of(measure, unit) for unit in values}
        if wanted.isdisjoint(values):
            return [self.quantity([value], unit, measure) for unit, value in values.items()]
        return [
            self.measured(self.number(values[unit]), unit)
            for unit in sorted(values, key=lambda unit: unit not in wanted)
        ]

    def _plus(self, value: Decimal) -> str:
        said = self.number(abs(value))
        return said if not value else f"{'+' if value > 0 else '−'}{said}"

    def drawn(self, value: Decimal, unit_code: str, measure: str) -> float:
        """A figure as a chart draws it: in the reader's unit, and never rounded."""
        wanted = self.words.units.of(measure, unit_code)
        return float(value if wanted is None else exactly(value, Unit(unit_code), wanted))

    def drawn_number(self, value: Decimal, unit_code: str, measure: str) -> str:
        """The same as a label beside it, without its unit."""
        wanted = self.words.units.of(measure, unit_code)
        return self.number(value if wanted is None else converted(value, Unit(unit_code), wanted))

    def drawn_unit(self, unit_code: str, measure: str) -> str:
        """The unit of ``drawn``, as a UCUM code."""
        return self.words.units.of(measure, unit_code) or unit_code

    def number(self, value: Decimal | None) -> str:
        """Every digit as the device gave it."""
        return UNKNOWN if value is None else self.words.number(value)

    def duration(self, span: timedelta) -> str:
        """A span in its one or two largest units: ``3 min``, ``2 h 5 min``, ``4 d``."""
        minutes = max(0, int(span.total_seconds() // 60))
        if minutes < 1:
            return self.SPANS["moment"]
        if minutes < 60:
            return self.SPANS["minutes"].format(minutes)
        hours, minutes = divmod(minutes, 60)
        if hours < 24:
            return self.SPANS["hours"].format(hours, minutes)
        return self.SPANS["days"].format(hours // 24)

    def exactly(self, span: timedelta | None) -> str:
        """A span in the largest unit that says it exactly, as limits are set: ``15 min``, ``2 h``, ``3 d``."""
        if span is None:
            return UNKNOWN
        minutes = int(span.total_seconds() // 60)
        for name, size in (("days", 1440), ("hours_alone", 60)):
            if minutes and minutes % size == 0:
                return self.SPANS[name].format(minutes // size)
        return self.SPANS["minutes"].format(minutes)

    def due(self, deadline: datetime, now: datetime) -> str:
        """``due in 12 min`` or ``overdue by 1 h 0 min``."""
        if deadline > now:
            return self.SPANS["due"].format(self.duration(deadline - now))
        return self.SPANS["overdue"].format(self.duration(now - deadline))

    def ago(self, moment: datetime, now: datetime) -> str:
        """``3 min ago``."""
        return self.SPANS["ago"].format(self.duration(now - moment))

    def local(self, moment: datetime, zone: str, form: str = "%d %b %Y, %H:%M") -> str:
        """A moment on the clock of an IANA zone; on UTC's, and saying so, where nobody here knows the zone."""
        there = zone_of(zone)
        said = _FORMS[form](self.words, moment.astimezone(there))
        return f"{said} UTC" if there is UTC and zone != "UTC" else said

    def day(self, day: date) -> str:
        """``21 Nov 2026``, as this language writes it."""
        return self.words.day(day)

    def long_day(self, day: date) -> str:
        """``Saturday 21 November``."""
        return self.words.long_day(day)

    def twice(self, moment: datetime, zone: str) -> str:
        """Where the clock of the zone shows this time twice, which of them: `` (UTC+2)``; else nothing."""
        there = moment.astimezone(zone_of(zone))
        first, second = (there.replace(fold=fold).utcoffset() for fold in (0, 1))
        here = there.utcoffset()
        if first == second or here is None:
            return ""
        hours, minutes = divmod(int(here.total_seconds()) // 60, 60)
        return f" (UTC{hours:+d}{f':{minutes:02}' if minutes else ''})"

    def figure(self, value: Decimal | None, state: str, bound: Decimal | None, unit_code: str, measure: str) -> str:
        """One figure as the device said it: ``5.40 mmol/L``, ``HI, above 600 mg/dL``, ``Failed measurement``."""
        if value is not None:
            return self.quantity([value], unit_code, measure)
        if bound is not None and state in self.OFF_SCALE:
            return self.OFF_SCALE[state].format(self.quantity([bound], unit_code, measure))
        return word(state, self.QUANTITY_STATES)

    def subject(self, name: str) -> str:
        """``gateway:home-17`` as people say it: ``gateway home-17``."""
        kind, _, rest = name.partition(":")
        return f"{word(kind, self.SUBJECT_KINDS)} {rest}".strip()

    def numbers(self, ranges: Iterable[Range[int]]) -> str:
        """Whole numbers of ranges whose end is not in them: ``17 to 19, 31``; at most MOST_RANGES of them."""
        between = self.RANGES["range"]
        spoken = [
            str(each.lower) if each.upper == each.lower + 1 else between.format(each.lower, each.upper - 1)
            for each in ranges
            if each.lower is not None and each.upper is not None
        ]
        return ", ".join([*spoken[:MOST_RANGES], *(["…"] if len(spoken) > MOST_RANGES else [])])

    def octets(self, number: int | None) -> str:
        """A size in its largest unit: ``950 MB``, ``12.3 GB``."""
        if number is None:
            return UNKNOWN
        if number < 999_500_000:
            return self.SIZES["megaoctets"].format(f"{number / 1_000_000:.0f}")
        return self.SIZES["gigaoctets"].format(self.words.number(Decimal(f"{number / 1_000_000_000:.1f}")))

    def clock_offset(self, seconds: float | None) -> str:
        """A clock beside ours: ``right``, ``12 s ahead``, ``1 h 5 min behind``."""
        if seconds is None:
            return UNKNOWN
        size = abs(seconds)
        if size < CLOCK_RIGHT_WITHIN_S:
            return self.CLOCK_OFFSETS["right"]
        said = self.SPANS["seconds"].format(f"{size:.0f}") if size < 60 else self.duration(timedelta(seconds=size))
        return self.CLOCK_OFFSETS["ahead" if seconds > 0 else "behind"].format(said)

    def days_left(self, until: datetime, now: datetime) -> str:
        """``62 d left``, ``ends within a day``, ``ended 3 d ago``."""
        if until <= now:
            return self.DAYS_LEFT["ended"].format(self.duration(now - until))
        days = (until - now).days
        return self.DAYS_LEFT["days"].format(days) if days else self.DAYS_LEFT["today"]

    def cited(self, source: str | None) -> str:
        """What a limit rests on: our own citations in this language, what a doctor wrote as it is."""
        return self.words.gettext(source) if source else UNKNOWN

    def say(self, text: str, zone: str = "UTC") -> str:
        """A sentence that knows what it is made of, in this language and zone; any other text as it is."""
        return in_language(text, self.words.in_zone(zone_of(zone))) if isinstance(text, Said) else text

    def alarm_sentence(self, alarm: Alarm) -> str:
        """What an alarm says; in English where an older version raised it."""
        found = from_json(alarm.said) if alarm.said is not None else None
        return in_language(found, self.words) if found is not None else alarm.sentence

    def told(self, found: Reasoned, zone: str) -> str:
        """Why it is there, with moments in the patient's zone; as it was written where its reason is unknown."""
        reason = reason_of(found.reason)
        return found.sentence if reason is None else sentence(reason, self.words.in_zone(zone_of(zone)))

    def word(self, code: str, table: Mapping[str, str]) -> str:
        """The word for a code, from a table of this language."""
        return word(code, table)

    def filters(self) -> dict[str, Any]:
        """What templates call, by name."""
        names = (
            "ago", "alarm_sentence", "cited", "clock_offset", "day", "days_left", "due", "duration", "exactly", "local",
            "long_day", "number", "numbers", "octets", "say", "subject", "told", "twice", "unit", "word",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}


def word(code: str, table: Mapping[str, str]) -> str:
    """The word for a code; a code that the table does not have is spoken as it is."""
    return table.get(code) or code.replace("_", " ")


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name; UTC where nobody here knows it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # one patient's zone must not take everybody's worklist away
        return UTC


def spoken_in(language: str | None, units: Units = AS_MEASURED) -> Spoken:
    """By the language's code; English for None and for a language we do not speak."""
    return _spoken(known(language) or ENGLISH, units)


@cache
def _spoken(code: str, units: Units) -> Spoken:
    return Spoken(words_of(code).in_units(units))
