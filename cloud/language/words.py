"""Our messages in a language, with numbers and times as its speakers write them.

The catalogues are text (``catalogues/<locale>/LC_MESSAGES/pulsepost.po``) and are read as they are, once for each
process: nothing has to be compiled before a clone or a wheel speaks. ``python -m deploy.catalogues`` keeps them.
"""

from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol

from alerting.units import AS_MEASURED, Units
from cloud.language.languages import ENGLISH, LANGUAGES, Facts, known

CATALOGUES: Final = Path(__file__).parent / "catalogues"
DOMAIN: Final = "pulsepost"


class Words:
    """One language; an ``alerting.sentences.Language``. ``zone``: where its reader lives, for the moments it spells.

    ``units``: in which its reader wants figures.
    """

    def __init__(
        self, code: str, translations: NullTranslations, zone: tzinfo | None = None, units: Units = AS_MEASURED
    ) -> None:
        self.code: Final = code
        self.units: Final = units
        self.facts: Final[Facts] = LANGUAGES[code]
        self._translations = translations
        self._zone = zone
        self._locale = Locale.parse(self.facts.locale)
        self._decimal_sign = get_decimal_symbol(self._locale)

    def in_zone(self, zone: tzinfo) -> "Words":
        """The same language for somebody whose clock shows this zone's time."""
        return Words(self.code, self._translations, zone, self.units)

    def in_units(self, units: Units) -> "Words":
        """The same language for somebody who wants figures in these units."""
        return Words(self.code, self._translations, self._zone, units)

    def gettext(self, message: str) -> str:
        """The message in this language."""
        return self._translations.gettext(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form for this number."""
        return self._translations.ngettext(msgid1, msgid2, n)

    def number(self, value: Decimal) -> str:
        """Every digit as the device gave it, with this language's decimal sign: ``5.40``, ``5,40``."""
        return f"{value:f}".replace(".", self._decimal_sign)

    def moment(self, moment: datetime) -> str:
        """To the minute, with the name of its zone: the reader's where that is known, else the one it carries."""
        there = moment.astimezone(self._zone) if self._zone else moment
        return f"{self.day_and_time(there)} {there:%Z}".rstrip()

    def day_and_time(self, moment: datetime) -> str:
        """``21 Nov 2026, 14:05`` on the clock that it carries."""
        return self._joined(self.day(moment), self.time(moment))

    def short_day_and_time(self, moment: datetime) -> str:
        """Without the year: ``21 Nov, 14:05``."""
        return self._joined(format_skeleton("MMMd", moment, locale=self._locale), self.time(moment))

    def day(self, day: date) -> str:
        """``21 Nov 2026``."""
        return format_skeleton("yMMMd", day, locale=self._locale)

    def short_day(self, day: date) -> str:
        """Without the year: ``21 Nov``."""
        return format_skeleton("MMMd", day, locale=self._locale)

    def long_day(self, day: date) -> str:
        """The weekday with it, and no year: ``Sunday 22 November``."""
        return format_date(day, self.facts.long_day, locale=self._locale)

    def time(self, moment: datetime) -> str:
        """``14:05``: 24 hours in all our languages."""
        return f"{moment:%H:%M}"

    def _joined(self, day: str, time: str) -> str:
        pattern: str = str(self._locale.datetime_formats["medium"])
        return pattern.replace("{1}", day).replace("{0}", time).replace("'", "")


def words_of(language: str | None) -> Words:
    """The words of a language by its code (``en``, ``ru``, ``zh``); of English for None and for one we do not speak."""
    return _words(known(language) or ENGLISH)


@cache
def _words(code: str) -> Words:
    return Words(code, _translations(code))


def catalogue(code: str) -> Path:
    """The file of a language's messages; English has none, it is in the messages themselves."""
    return CATALOGUES / LANGUAGES[code].locale / "LC_MESSAGES" / f"{DOMAIN}.po"


def _translations(code: str) -> NullTranslations:
    if code == ENGLISH:
        return NullTranslations()
    with catalogue(code).open("rb") as file:
        messages = read_po(file, locale=LANGUAGES[code].locale, abort_invalid=True)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)
