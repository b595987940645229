"""One record of the Bluetooth Glucose Service, with its context, as a Reading. Wire page: bluetooth_glucose.md."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from device_drivers.codecs import glucose_measurement as measurement_codec
from device_drivers.codecs import glucose_measurement_context as context_codec
from device_drivers.codecs.glucose_measurement import TYPE_CONTROL_SOLUTION, ConcentrationUnit, GlucoseMeasurement
from device_drivers.codecs.glucose_measurement_context import GlucoseMeasurementContext
from device_drivers.codecs.sfloat import Figure, Special
from device_drivers.drivers.device_clock import reported_time
from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime, Sample
from firmware_profiles.schema import Profile

MEAL_6_IS_KETONE = "meal_6_is_ketone"
REVERSED_SEQUENCE = "reversed_sequence"
TIME_FAULT = "time_fault"

_MEAL_OF_KETONE = 6
_CODES = {
    1: Mdc.CONC_GLU_CAPILLARY_WHOLEBLOOD,
    2: Mdc.CONC_GLU_CAPILLARY_PLASMA,
    3: Mdc.CONC_GLU_VENOUS_WHOLEBLOOD,
    4: Mdc.CONC_GLU_VENOUS_PLASMA,
    5: Mdc.CONC_GLU_ARTERIAL_WHOLEBLOOD,
    6: Mdc.CONC_GLU_ARTERIAL_PLASMA,
    7: Mdc.CONC_GLU_UNDETERMINED_WHOLEBLOOD,
    8: Mdc.CONC_GLU_UNDETERMINED_PLASMA,
    TYPE_CONTROL_SOLUTION: Mdc.CONC_GLU_CONTROL,
}
# kg/L to mg/dL and mol/L to mmol/L are shifts of the decimal point, so no digit is gained or lost.
_Shifts = dict[ConcentrationUnit, tuple[Unit, int]]
_SHIFTS: _Shifts = {ConcentrationUnit.KG_PER_L: (Unit.MG_DL, 5), ConcentrationUnit.MOL_PER_L: (Unit.MMOL_L, 3)}
_KETONE_SHIFTS: _Shifts = {ConcentrationUnit.KG_PER_L: (Unit.MMOL_L, 4), ConcentrationUnit.MOL_PER_L: (Unit.MMOL_L, 3)}


def reading_of(
    record: GlucoseMeasurement,
    context: GlucoseMeasurementContext | None,
    raw: bytes,
    identity: DeviceIdentity,
    profile: Profile,
) -> Reading:
    """The record's reading; ``raw`` is its octets and, behind them, its context's.

    A sequence number that says nothing about the record (``reversed_sequence``: the newest is always 0) is left out,
    so that time and figure make its identity.
    """
    concentration = record.concentration
    control = concentration is not None and concentration.type == TYPE_CONTROL_SOLUTION
    ketone = is_ketone(context, profile)
    return Reading(
        device=identity,
        kind=Kind.KETONE if ketone else Kind.GLUCOSE,
        components=(_ketone(record, profile) if ketone else _glucose(record, profile),),
        reported_time=reported_time_of(record, profile),
        profile=profile.id,
        raw=raw,
        sample=Sample.CONTROL_SOLUTION if control else Sample.PATIENT,
        sequence_number=None if profile.has_quirk(REVERSED_SEQUENCE) else record.sequence_number,
        annotations=record.annunciations,
        context=_measured_on(record) | (_around(context) if context else {}),
    )


def is_ketone(context: GlucoseMeasurementContext | None, profile: Profile) -> bool:
    """Whether the context says that a ketone strip was used (``meal_6_is_ketone``)."""
    return context is not None and context.meal == _MEAL_OF_KETONE and profile.has_quirk(MEAL_6_IS_KETONE)


def _glucose(record: GlucoseMeasurement, profile: Profile) -> Component:
    kind = record.concentration.type if record.concentration else 0
    values = profile.firmware.values
    quantity = _quantity(record, values.unit, _SHIFTS)
    bounds = (values.low, values.high) if values.unit == quantity.unit else (None, None)
    return Component(_CODES.get(kind, Mdc.CONC_GLU_UNDETERMINED_PLASMA), _bounded(quantity, *bounds))


def _ketone(record: GlucoseMeasurement, profile: Profile) -> Component:
    """Ten times the display's mmol/L as if it were mg/dL of glucose: 12 mg/dL is 1.2 mmol/L."""
    quantity = _quantity(record, Unit.MMOL_L, _KETONE_SHIFTS)
    bounded = _bounded(quantity, None, profile.firmware.values.ketone_high)
    return Component(Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD, bounded)


def reported_time_of(record: GlucoseMeasurement, profile: Profile) -> ReportedTime:
    """The record's user-facing time: base time and offset."""
    local = record.base_time.local
    if TIME_FAULT in record.annunciations:
        local = None  # the meter itself says that its clock was wrong then
    if record.time_offset is None:
        return reported_time(record.base_time, profile, local=local)
    try:
        local = local + timedelta(minutes=record.time_offset) if local else None
    except OverflowError:
        local = None  # the year 9999 and a positive offset
    return reported_time(record.base_time, profile, suffix=f"{record.time_offset:+d}min", local=local)


def _quantity(record: GlucoseMeasurement, otherwise: str, shifts: _Shifts) -> Quantity:
    """The figure with its unit, ``otherwise`` where the record has none; a state where it is no number."""
    concentration = record.concentration
    unit, shift = shifts[concentration.unit] if concentration else (_unit(otherwise), 0)
    figure = concentration.figure if concentration else Special.NOT_A_NUMBER
    state = _state(figure, record.annunciations)
    if state is QuantityState.MEASURED and isinstance(figure, Decimal):
        return Quantity(figure.scaleb(shift), unit)
    return Quantity(None, unit, state)


def _bounded(quantity: Quantity, low: Decimal | None, high: Decimal | None) -> Quantity:
    bounds = {QuantityState.BELOW_RANGE: low, QuantityState.ABOVE_RANGE: high}
    return replace(quantity, bound=bounds.get(quantity.state))


def _unit(text: str) -> Unit:
    return Unit(text) if text in (Unit.MG_DL, Unit.MMOL_L) else Unit.MG_DL


def _state(figure: Figure, annunciations: tuple[str, ...]) -> QuantityState:
    """The status bits outrank the figure: a meter that shows HI may send its upper limit as the figure."""
    if "result_too_high" in annunciations or figure is Special.POSITIVE_INFINITY:
        return QuantityState.ABOVE_RANGE
    if "result_too_low" in annunciations or figure is Special.NEGATIVE_INFINITY:
        return QuantityState.BELOW_RANGE
    return QuantityState(figure.value) if isinstance(figure, Special) else QuantityState.MEASURED


def _measured_on(record: GlucoseMeasurement) -> dict[str, str]:
    if record.concentration is None:
        return {}
    concentration = record.concentration
    return {
        "type": _word(measurement_codec.TYPES, concentration.type),
        "sample_location": _word(measurement_codec.SAMPLE_LOCATIONS, concentration.sample_location),
    }


def _around(context: GlucoseMeasurementContext) -> dict[str, str]:
    """The context's fields as words; amounts as text with their unit in the name."""
    words: dict[str, str] = {}
    if context.meal is not None:
        words["meal"] = _word(context_codec.MEALS, context.meal)
    if context.tester is not None and context.health is not None:
        words["tester"] = _word(context_codec.TESTERS, context.tester)
        words["health"] = _word(context_codec.HEALTH, context.health)
    if context.carbohydrate is not None:
        words["carbohydrate_id"] = _word(context_codec.CARBOHYDRATE_IDS, context.carbohydrate.carbohydrate_id)
        words["carbohydrate_kg"] = str(context.carbohydrate.kilograms)
    if context.exercise is not None:
        words["exercise_duration_s"] = str(context.exercise.duration_s)
        words["exercise_intensity_percent"] = str(context.exercise.intensity_percent)
    if context.medication is not None:
        words["medication_id"] = _word(context_codec.MEDICATION_IDS, context.medication.medication_id)
        words[f"medication_{context.medication.unit.lower()}"] = str(context.medication.amount)
    if context.hba1c_percent is not None:
        words["hba1c_percent"] = str(context.hba1c_percent)
    return words


def _word(words: dict[int, str], value: int) -> str:
    return words.get(value, f"reserved_{value}")
