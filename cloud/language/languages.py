"""The languages that we speak, and which of them a reader gets. The facts are of Unicode's CLDR."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from device_drivers.nomenclature import Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Of one language: ``locale`` as Babel knows it, ``tag`` for HTML (BCP 47), ``name`` as its speakers say it.

    ``long_day``: CLDR's pattern of the skeleton MMMMEEEEd, which Babel finds in no locale and replaces by a short one.
    ``glucose``: the unit of those who have chosen none; None: as each device says it.
    """

    locale: str
    tag: str
    name: str
    long_day: str
    glucose: Unit | None = None


LANGUAGES: Final[Mapping[str, Facts]] = {
    # The messages are in British English: days before months, 24 hours. English is read where glucose is in mg/dL and
    # where it is in mmol/L; in Russia and in China it is in mmol/L.
    "en": Facts(locale="en_GB", tag="en", name="English", long_day="EEEE d MMMM"),
    "ru": Facts(locale="ru", tag="ru", name="Русский", long_day="EEEE, d MMMM", glucose=Unit.MMOL_L),
    "zh": Facts(locale="zh_Hans", tag="zh-Hans", name="简体中文", long_day="M月d日EEEE", glucose=Unit.MMOL_L),
}
ENGLISH: Final = "en"


def known(code: str | None) -> str | None:
    """The code of a language that we speak; None for any other."""
    return code if code in LANGUAGES else None


def accepted(header: str) -> str | None:
    """The first choice of an ``Accept-Language`` (RFC 9110, 12.5.4) that we speak, by its primary subtag.

    >>> accepted("de-AT,ru;q=0.7,en;q=0.8")
    'en'
    """
    choices = [choice for each in header.split(",")[:20] if (choice := _choice(each)) is not None]
    choices.sort(key=lambda choice: -choice[1])
    return next((code for code, weight in choices if weight > 0), None)


def _choice(text: str) -> tuple[str, float] | None:
    tag, _, parameter = text.partition(";")
    code = tag.strip().lower().partition("-")[0]
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return None
    return (code, weight) if code in LANGUAGES else None
