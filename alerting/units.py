"""Figures in the unit that a reader prefers. For showing alone: nothing is ever compared after it was converted.

A figure is converted from what the device or the limit says, and rounded once, to the digits that meters show. Ketones
have one unit, and their mmol/L are not glucose's: which measure it is decides, never the unit by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from device_drivers.nomenclature import Unit

# Glucose is 180.156 g/mol: 1 mmol/L is 18.0156 mg/dL.
MG_DL_OF_MMOL_L: Final = Decimal("18.0156")
# The conventional millimetre of mercury is 133.322387415 Pa (NIST SP 811, B.8).
KPA_OF_MM_HG: Final = Decimal("0.133322387415")

GLUCOSE_UNITS: Final = (Unit.MG_DL, Unit.MMOL_L)
PRESSURE_UNITS: Final = (Unit.MM_HG, Unit.KPA)
# By the names of measures and of kinds of readings; whatever is not here has one unit.
_CONVERTIBLE: Final[Mapping[str, tuple[Unit, Unit]]] = {
    "glucose": GLUCOSE_UNITS,
    "systolic": PRESSURE_UNITS,
    "diastolic": PRESSURE_UNITS,
    "blood_pressure": PRESSURE_UNITS,
}

_FACTORS: Final[Mapping[tuple[Unit, Unit], Decimal]] = {
    (Unit.MMOL_L, Unit.MG_DL): MG_DL_OF_MMOL_L,
    (Unit.MG_DL, Unit.MMOL_L): 1 / MG_DL_OF_MMOL_L,
    (Unit.MM_HG, Unit.KPA): KPA_OF_MM_HG,
    (Unit.KPA, Unit.MM_HG): 1 / KPA_OF_MM_HG,
}
# What meters and cuffs show.
_DIGITS: Final[Mapping[Unit, Decimal]] = {
    Unit.MG_DL: Decimal(1),
    Unit.MMOL_L: Decimal("0.1"),
    Unit.MM_HG: Decimal(1),
    Unit.KPA: Decimal("0.1"),
}


@dataclass(frozen=True, slots=True)
class Units:
    """A reader's units. None: as the device or the limit says it."""

    glucose: Unit | None = None
    pressure: Unit | None = None

    def of(self, measure: str, unit: str) -> Unit | None:
        """The unit to show a figure of this measure (or kind of reading) in, if it is another one than its own."""
        pair = _CONVERTIBLE.get(measure, ())
        wanted = self.glucose if pair == GLUCOSE_UNITS else self.pressure
        return wanted if wanted in pair and unit in pair and wanted != unit else None


AS_MEASURED: Final = Units()


def converted(value: Decimal, unit: Unit, to: Unit) -> Decimal:
    """The figure in the other unit, rounded once. KeyError for units that are not of one measure."""
    return exactly(value, unit, to).quantize(_DIGITS[to], ROUND_HALF_UP)


def exactly(value: Decimal, unit: Unit, to: Unit) -> Decimal:
    """The same without rounding, for drawing: a reading lies on the same side of its limit as in its own unit."""
    return value * _FACTORS[unit, to]
