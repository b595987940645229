"""What a condition asks, and what of somebody answers it, in a reader's language. Pure."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cloud.console.spoken import Spoken, word
from cloud.crm.segments.models import Choices, Condition, Kind
from device_drivers.nomenclature import Unit


class Saying:
    """Sentences without an end, such as ``2 cases in 30 days, urgent or graver``. ``zone``: IANA, of moments."""

    def __init__(self, spoken: Spoken, choices: Choices, zone: str = "UTC") -> None:
        self._spoken = spoken
        self._words = spoken.words
        self._zone = zone
        self._names: Mapping[str, Mapping[str, str]] = {name: dict(pairs) for name, pairs in choices.of.items()}

    def name(self, name: str, is_shipped: bool) -> str:
        """What a segment is called: ours in the reader's language, others' as they were written."""
        return word(name, self._spoken.SHIPPED_SEGMENTS) if is_shipped else name

    def asked(self, condition: Condition) -> str:
        """What has to hold."""
        of, words = condition.values, self._words
        match condition.kind:
            case Kind.AGE:
                return self._ages(of)
            case Kind.PRESSURE | Kind.GLUCOSE:
                return self._bounds(condition)
            case Kind.LAST_READING:
                if of["relation"] == "at_least":
                    return words.gettext("no reading for at least {days}").format(days=self._days(of))
                return words.gettext("a reading within the last {days}").format(days=self._days(of))
            case Kind.OPEN_CASES:
                return words.ngettext(
                    "at least {n} open case, {tier}", "at least {n} open cases, {tier}", int(of["many"])
                ).format(n=of["many"], tier=self._tier(of))
            case Kind.CASES:
                return words.ngettext(
                    "at least {n} case in {days}, {tier}", "at least {n} cases in {days}, {tier}", int(of["many"])
                ).format(n=of["many"], days=self._days(of), tier=self._tier(of))
            case Kind.ADHERENCE:
                if of["relation"] == "below":
                    return words.gettext("measured less than {percent} % of what was due in 28 days").format(**of)
                return words.gettext("measured at least {percent} % of what was due in 28 days").format(**of)
            case Kind.DISCHARGE:
                return words.gettext("home from hospital for at most {days}").format(days=self._days(of))
            case _:
                return self._plainly(condition)

    def held(self, condition: Condition, found: Any) -> str:
        """What of somebody answers it; ``found``: what ``store`` gave for this condition."""
        if found is None:
            return self._nothing(condition)
        words = self._words
        match condition.kind:
            case Kind.AGE:
                return words.ngettext("{n} year old", "{n} years old", int(found)).format(n=found)
            case Kind.OPEN_CASES | Kind.CASES:
                return self._cases(condition, int(found))
            case Kind.DISCHARGE:
                day = self._spoken.day(date.fromisoformat(found))
                return words.gettext("home from hospital since {day}").format(day=day)
            case Kind.HEIGHTENED:
                return words.gettext("watched more closely until {day}").format(day=self._moment(found))
            case _:
                return self._measured(condition, found)

    def _measured(self, condition: Condition, found: Any) -> str:
        """Of what is worked out of readings; and what is said alike of all."""
        words = self._words
        match condition.kind:
            case Kind.CONTROL | Kind.PRESSURE:
                systolic, diastolic, unit, day = found
                figure = self._spoken.quantity([Decimal(systolic), Decimal(diastolic)], unit, "blood_pressure")
                average = words.gettext("home average {value}, of the week to {day}").format(
                    value=figure, day=self._spoken.day(date.fromisoformat(day))
                )
                return average if condition.kind is Kind.PRESSURE else f"{self._plainly(condition)} ({average})"
            case Kind.GLUCOSE:
                value, unit = found
                return words.gettext("mean glucose of 14 days {value}").format(
                    value=self._spoken.quantity([Decimal(value)], unit, "glucose")
                )
            case Kind.LAST_READING:
                return words.gettext("last reading on {day}").format(day=self._moment(found))
            case Kind.ADHERENCE:
                made, due = found
                return words.gettext("measured {made} of {due} that were due in 28 days").format(made=made, due=due)
            case _:
                return self._plainly(condition)

    def _cases(self, condition: Condition, many: int) -> str:
        of, words = condition.values, self._words
        if condition.kind is Kind.OPEN_CASES:
            return words.ngettext("{n} open case, {tier}", "{n} open cases, {tier}", many).format(
                n=many, tier=self._tier(of)
            )
        return words.ngettext("{n} case in {days}, {tier}", "{n} cases in {days}, {tier}", many).format(
            n=many, days=self._days(of), tier=self._tier(of)
        )

    def _nothing(self, condition: Condition) -> str:
        if condition.kind is Kind.LAST_READING:
            return self._words.gettext("no reading yet")
        return self._plainly(condition) if condition.kind in _PLAIN else self.asked(condition)

    def _plainly(self, condition: Condition) -> str:
        """Of what is said alike of the condition and of whom it finds."""
        of, words = condition.values, self._words
        match condition.kind:
            case Kind.PROGRAMME:
                return words.gettext("in the programme {name}").format(name=self._named("programme", of))
            case Kind.PLAN:
                return words.gettext("has the follow-up plan {name}").format(
                    name=words.gettext(self._named("plan", of))
                )
            case Kind.TAG:
                return words.gettext("tagged “{tag}”").format(tag=of["tag"])
            case Kind.CONTROL:
                return word(of["is"], self._spoken.SEGMENT_CONTROL)
            case Kind.CARER:
                return words.gettext("{name} is in the care team").format(name=self._named("carer", of))
            case Kind.LANGUAGE:
                return words.gettext("language: {name}").format(name=self._named("language", of))
            case Kind.HOUSEHOLD:
                return word(of["is"], self._spoken.SEGMENT_HOUSEHOLDS)
            case _:
                return words.gettext("in a time of being watched more closely")

    def _named(self, field: str, of: Mapping[str, str]) -> str:
        """What is not there any more is said by its code."""
        return self._names.get(field, {}).get(of[field], of[field])

    def _ages(self, of: Mapping[str, str]) -> str:
        words = self._words
        if "low" in of and "high" in of:
            return words.gettext("{low} to {high} years old").format(**of)
        if "low" in of:
            return words.gettext("{low} years old or older").format(**of)
        return words.gettext("at most {high} years old").format(**of)

    def _bounds(self, condition: Condition) -> str:
        of, words = condition.values, self._words
        measure = of.get("measure", "glucose")
        what = self._spoken.SEGMENT_AVERAGES[measure]
        low, high = (
            self._spoken.measured(self._spoken.number(Decimal(of[name])), Unit(of["unit"])) if name in of else None
            for name in ("low", "high")
        )
        if low is not None and high is not None:
            return words.gettext("{what} from {low} to below {high}").format(what=what, low=low, high=high)
        if low is not None:
            return words.gettext("{what} at or above {low}").format(what=what, low=low)
        return words.gettext("{what} below {high}").format(what=what, high=high)

    def _days(self, of: Mapping[str, str]) -> str:
        many = int(of["days"])
        return self._words.ngettext("{n} day", "{n} days", many).format(n=many)

    def _tier(self, of: Mapping[str, str]) -> str:
        tier = word(of["tier"], self._spoken.TIERS)
        if of["tier"] == "emergency":
            return tier
        return self._words.gettext("{tier} or graver").format(tier=tier)

    def _moment(self, found: str) -> str:
        return self._spoken.local(datetime.fromisoformat(found), self._zone, "%d %b %Y")


_PLAIN = frozenset({Kind.PROGRAMME, Kind.PLAN, Kind.TAG, Kind.CONTROL, Kind.CARER, Kind.LANGUAGE, Kind.HOUSEHOLD})
