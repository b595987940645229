"""From a reading to what the home is told of it. Figures are written as the device shows them, and where wanted."""

from datetime import datetime

from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Reading, Sample
from device_drivers.timestamps import CoincidentTimeStamp, TimeQuality, effective_time
from gateway.home.facts import KEPT_FOR
from gateway.outbox import Measured

_SHOWN_UNITS = {Unit.MM_HG: "mmHg"}


def shown(
    reading: Reading, coincident: CoincidentTimeStamp | None, read_at: datetime, *, values: bool
) -> Measured | None:
    """None for what nobody measured on themselves (control solution), and for the past."""
    if reading.sample is not Sample.PATIENT:
        return None
    effective = effective_time(reading.reported_time, coincident, read_at)
    is_exact = effective.quality in (TimeQuality.SYNCHRONISED, TimeQuality.MAPPED) and effective.time is not None
    at = effective.time if is_exact and effective.time is not None else read_at
    if read_at - at > KEPT_FOR:
        return None
    return Measured(
        kind=reading.kind.value,
        user=reading.user_index,
        at=at,
        exact=is_exact,
        figures=figures(reading) if values else None,
    )


def figures(reading: Reading) -> str:
    """Such as ``124/78 mmHg, 66/min`` or ``5.6 mmol/L``; HI and LO as the meter says them. Or empty."""
    if reading.kind is not Kind.BLOOD_PRESSURE:
        return ", ".join(_figure(component.quantity) for component in reading.components)
    systolic = reading.quantity(Mdc.PRESS_BLD_NONINV_SYS)
    diastolic = reading.quantity(Mdc.PRESS_BLD_NONINV_DIA)
    pulse = reading.quantity(Mdc.PULS_RATE_NON_INV)
    pressures = f"{_number(systolic)}/{_number(diastolic)} {_unit(systolic)}" if systolic and diastolic else ""
    beats = f"{_number(pulse)}/min" if pulse is not None and pulse.value is not None else ""
    return ", ".join(filter(None, (pressures, beats)))


def _figure(quantity: Quantity) -> str:
    return f"{_number(quantity)} {_unit(quantity)}"


def _number(quantity: Quantity) -> str:
    match quantity.state:
        case QuantityState.MEASURED:
            return str(quantity.value)
        case QuantityState.ABOVE_RANGE | QuantityState.POSITIVE_INFINITY:
            return "HI"
        case QuantityState.BELOW_RANGE | QuantityState.NEGATIVE_INFINITY:
            return "LO"
        case _:
            return "–"


def _unit(quantity: Quantity) -> str:
    return _SHOWN_UNITS.get(quantity.unit, quantity.unit.value)
