"""Values that no body and no meter can give. They are quarantined, never corrected and never dropped.

Limits: glucose 10–600 mg/dL or 0.6–33.3 mmol/L (the widest range that meters report; beyond it they show LO and HI);
ketones 0–8 mmol/L (likewise);
systolic 50–280 and diastolic 30–180 mm[Hg], systolic more than 10 above diastolic, mean between them, pulse 30–220 /min
(the wide end of what oscillometric cuffs state as their measuring range). kPa: the same, at 0.133322 kPa to the mm[Hg],
rounded to the 0.1 kPa that such cuffs show. A proposal of ours, wide on purpose: a true crisis must pass.
"""

from collections.abc import Mapping
from decimal import Decimal

from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Reading

GLUCOSE_CODES = frozenset(code for code in Mdc if code.name.startswith("CONC_GLU"))
KETONE_CODES = frozenset({Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD})

Range = tuple[Decimal, Decimal]


def _range(low: str, high: str) -> Range:
    return Decimal(low), Decimal(high)


GLUCOSE: Mapping[Unit, Range] = {Unit.MG_DL: _range("10", "600"), Unit.MMOL_L: _range("0.6", "33.3")}
KETONE: Mapping[Unit, Range] = {Unit.MMOL_L: _range("0", "8.0")}
SYSTOLIC: Mapping[Unit, Range] = {Unit.MM_HG: _range("50", "280"), Unit.KPA: _range("6.7", "37.3")}
DIASTOLIC: Mapping[Unit, Range] = {Unit.MM_HG: _range("30", "180"), Unit.KPA: _range("4.0", "24.0")}
PULSE: Mapping[Unit, Range] = {Unit.PER_MIN: _range("30", "220")}
# The systolic pressure lies above the diastolic by more than this.
PULSE_PRESSURE: Mapping[Unit, Decimal] = {Unit.MM_HG: Decimal("10"), Unit.KPA: Decimal("1.3")}


def implausible(reading: Reading) -> str | None:
    """Why this reading cannot be, or None. HI and LO and failed measurements are plausible: they are no numbers."""
    match reading.kind:
        case Kind.GLUCOSE:
            return _implausible_concentration(reading, "glucose", GLUCOSE_CODES, GLUCOSE)
        case Kind.KETONE:
            return _implausible_concentration(reading, "ketone", KETONE_CODES, KETONE)
        case Kind.BLOOD_PRESSURE:
            return _implausible_blood_pressure(reading)


def _implausible_concentration(
    reading: Reading, name: str, codes: frozenset[Mdc], ranges: Mapping[Unit, Range]
) -> str | None:
    if len(reading.components) != 1 or reading.components[0].code not in codes:
        return f"a {name} reading has exactly one {name} concentration"
    return _outside(name, reading.components[0].quantity, ranges)


def _implausible_blood_pressure(reading: Reading) -> str | None:
    by_code = {c.code: c.quantity for c in reading.components}
    systolic = by_code.pop(Mdc.PRESS_BLD_NONINV_SYS, None)
    diastolic = by_code.pop(Mdc.PRESS_BLD_NONINV_DIA, None)
    mean = by_code.pop(Mdc.PRESS_BLD_NONINV_MEAN, None)
    pulse = by_code.pop(Mdc.PULS_RATE_NON_INV, None)
    if (
        systolic is None
        or diastolic is None
        or by_code
        or len({c.code for c in reading.components}) != len(reading.components)
    ):
        return "a blood-pressure reading has one systolic and one diastolic pressure, and nothing foreign"
    if len({q.unit for q in (systolic, diastolic, mean) if q is not None}) != 1:
        return "its pressures are in different units"
    return (
        _outside("systolic pressure", systolic, SYSTOLIC)
        or _outside("diastolic pressure", diastolic, DIASTOLIC)
        or (_outside("pulse", pulse, PULSE) if pulse is not None else None)
        or _contradiction(systolic, diastolic, mean)
    )


def _outside(name: str, quantity: Quantity, ranges: Mapping[Unit, Range]) -> str | None:
    limits = ranges.get(quantity.unit)
    if limits is None:
        return f"{name} cannot be in {quantity.unit}"
    if quantity.state is not QuantityState.MEASURED or quantity.value is None:
        return None
    low, high = limits
    if not quantity.value.is_finite() or not low <= quantity.value <= high:
        return f"{name} of {quantity.value} {quantity.unit} is outside {low} to {high}"
    return None


def _contradiction(systolic: Quantity, diastolic: Quantity, mean: Quantity | None) -> str | None:
    if systolic.value is None or diastolic.value is None:
        return None
    if systolic.value <= diastolic.value + PULSE_PRESSURE[systolic.unit]:
        return f"systolic {systolic.value} is not above diastolic {diastolic.value} {diastolic.unit} as it must be"
    if mean is None or mean.value is None:
        return None
    if not (mean.value.is_finite() and diastolic.value <= mean.value <= systolic.value):
        return f"mean pressure of {mean.value} {mean.unit} is not between diastolic and systolic"
    return None
