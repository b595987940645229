"""What a sentence asks of its reader's language."""

from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from alerting.units import AS_MEASURED, Units


class Language(Protocol):
    """What ``gettext.NullTranslations`` and its kin offer, and how its speakers write numbers, days and moments."""

    @property
    def units(self) -> Units:
        """In which units its reader wants figures."""

    def gettext(self, message: str) -> str:
        """The message in this language."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The form for this number."""

    def number(self, value: Decimal) -> str:
        """Every digit that it has, with this language's decimal sign."""

    def day(self, day: date) -> str:
        """The day of a moment in the zone that it carries."""

    def moment(self, moment: datetime) -> str:
        """To the minute, with its zone: the reader's where the language knows that, else the one it carries."""


class _English:
    units = AS_MEASURED

    def gettext(self, message: str) -> str:
        return message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if n == 1 else msgid2

    def number(self, value: Decimal) -> str:
        return f"{value:f}"

    def day(self, day: date) -> str:
        return f"{day:%Y-%m-%d}"

    def moment(self, moment: datetime) -> str:
        return f"{moment:%Y-%m-%d %H:%M %Z}".rstrip()


ENGLISH: Language = _English()
