"""What can be chosen, and what was."""

from dataclasses import dataclass
from typing import Final

from alerting.units import GLUCOSE_UNITS, PRESSURE_UNITS
from cloud.auth.models import AS_DEVICES_SAY

# An empty choice: what is usual in the reader's language.
USUAL: Final = ""
GLUCOSE: Final = (USUAL, *GLUCOSE_UNITS, AS_DEVICES_SAY)
PRESSURE: Final = (USUAL, *PRESSURE_UNITS, AS_DEVICES_SAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The units that somebody chose; None: none of their own."""

    glucose: str | None
    pressure: str | None
