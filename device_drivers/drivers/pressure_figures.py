"""The coded figures of a cuff's measurement."""

from decimal import Decimal

from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Quantity, QuantityState


def pressure_figures(
    *, systolic: int, diastolic: int, pulse: int, mean: int | None = None, failed: bool = False
) -> tuple[Component, ...]:
    """mm[Hg] and beats per minute; of a failed measurement none is a number, and no mean is none."""
    figures = (
        (Mdc.PRESS_BLD_NONINV_SYS, systolic, Unit.MM_HG),
        (Mdc.PRESS_BLD_NONINV_DIA, diastolic, Unit.MM_HG),
        (Mdc.PRESS_BLD_NONINV_MEAN, mean, Unit.MM_HG),
        (Mdc.PULS_RATE_NON_INV, pulse, Unit.PER_MIN),
    )
    return tuple(
        Component(
            code,
            Quantity(None, unit, QuantityState.NOT_A_NUMBER) if failed else Quantity(Decimal(figure), unit),
        )
        for code, figure, unit in figures
        if figure is not None
    )
