"""Glucose Measurement Context (0x2A34) of the Glucose Service 1.0.1; layout in drivers/bluetooth_glucose.md."""

from dataclasses import dataclass
from enum import StrEnum

from device_drivers.codecs.octets import Octets
from device_drivers.codecs.sfloat import Figure, encode_sfloat, read_sfloat

CARBOHYDRATE_IDS = {1: "breakfast", 2: "lunch", 3: "dinner", 4: "snack", 5: "drink", 6: "supper", 7: "brunch"}
MEALS = {1: "preprandial", 2: "postprandial", 3: "fasting", 4: "casual", 5: "bedtime"}
TESTERS = {1: "self", 2: "health_care_professional", 3: "lab_test", 15: "not_available"}
HEALTH = {
    1: "minor_health_issues",
    2: "major_health_issues",
    3: "during_menses",
    4: "under_stress",
    5: "no_health_issues",
    15: "not_available",
}
MEDICATION_IDS = {
    1: "rapid_acting_insulin",
    2: "short_acting_insulin",
    3: "intermediate_acting_insulin",
    4: "long_acting_insulin",
    5: "pre_mixed_insulin",
}

(
    _CARBOHYDRATE,
    _MEAL,
    _TESTER_HEALTH,
    _EXERCISE,
    _MEDICATION,
    _MEDICATION_IN_LITRES,
    _HBA1C,
    _EXTENDED_FLAGS,
) = (1 << bit for bit in range(8))


class MedicationUnit(StrEnum):
    """What the amount of medication is counted in."""

    KILOGRAMS = "kg"
    LITRES = "L"


@dataclass(frozen=True, slots=True)
class Carbohydrate:
    """What was eaten, and its carbohydrate in kilogrammes."""

    carbohydrate_id: int
    kilograms: Figure


@dataclass(frozen=True, slots=True)
class Exercise:
    """65535 s means an overrun."""

    duration_s: int
    intensity_percent: int


@dataclass(frozen=True, slots=True)
class Medication:
    """Which medication and how much."""

    medication_id: int
    amount: Figure
    unit: MedicationUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class GlucoseMeasurementContext:
    """What was going on around the measurement of the same sequence number."""

    sequence_number: int
    extended_flags: int | None = None
    carbohydrate: Carbohydrate | None = None
    meal: int | None = None
    tester: int | None = None  # tester and health come together
    health: int | None = None
    exercise: Exercise | None = None
    medication: Medication | None = None
    hba1c_percent: Figure | None = None


def decode_glucose_measurement_context(data: bytes) -> GlucoseMeasurementContext:
    """Total: the record, or CodecError at the field that is cut. Octets beyond are ignored."""
    octets = Octets("glucose_measurement_context", data)
    flags = octets.uint8("flags")
    sequence_number = octets.uint16("sequence number")
    extended_flags = octets.uint8("extended flags") if flags & _EXTENDED_FLAGS else None
    carbohydrate = (
        Carbohydrate(octets.uint8("carbohydrate id"), read_sfloat(octets, "carbohydrate"))
        if flags & _CARBOHYDRATE
        else None
    )
    meal = octets.uint8("meal") if flags & _MEAL else None
    tester_health = octets.uint8("tester and health") if flags & _TESTER_HEALTH else None
    return GlucoseMeasurementContext(
        sequence_number=sequence_number,
        extended_flags=extended_flags,
        carbohydrate=carbohydrate,
        meal=meal,
        tester=None if tester_health is None else tester_health & 0x0F,
        health=None if tester_health is None else tester_health >> 4,
        exercise=(
            Exercise(octets.uint16("exercise duration"), octets.uint8("exercise intensity"))
            if flags & _EXERCISE
            else None
        ),
        medication=_read_medication(octets, flags) if flags & _MEDICATION else None,
        hba1c_percent=read_sfloat(octets, "HbA1c") if flags & _HBA1C else None,
    )


def encode_glucose_measurement_context(record: GlucoseMeasurementContext) -> bytes:
    """The record's octets."""
    fields = _encoded_fields(record)
    flags = sum(flag for flag, octets in fields if octets)
    if record.medication is not None and record.medication.unit is MedicationUnit.LITRES:
        flags |= _MEDICATION_IN_LITRES
    return bytes((flags,)) + record.sequence_number.to_bytes(2, "little") + b"".join(octets for _, octets in fields)


def _read_medication(octets: Octets, flags: int) -> Medication:
    return Medication(
        octets.uint8("medication id"),
        read_sfloat(octets, "medication"),
        MedicationUnit.LITRES if flags & _MEDICATION_IN_LITRES else MedicationUnit.KILOGRAMS,
    )


def _encoded_fields(record: GlucoseMeasurementContext) -> list[tuple[int, bytes]]:
    """Flag and octets per field, in the order of the wire; no octets where the field is absent."""
    carbohydrate, exercise, medication = record.carbohydrate, record.exercise, record.medication
    return [
        (_EXTENDED_FLAGS, _octet(record.extended_flags)),
        (
            _CARBOHYDRATE,
            _octet(carbohydrate.carbohydrate_id) + encode_sfloat(carbohydrate.kilograms) if carbohydrate else b"",
        ),
        (_MEAL, _octet(record.meal)),
        (_TESTER_HEALTH, b"" if record.tester is None else _octet((record.health or 0) << 4 | record.tester)),
        (
            _EXERCISE,
            exercise.duration_s.to_bytes(2, "little") + _octet(exercise.intensity_percent) if exercise else b"",
        ),
        (_MEDICATION, _octet(medication.medication_id) + encode_sfloat(medication.amount) if medication else b""),
        (_HBA1C, b"" if record.hba1c_percent is None else encode_sfloat(record.hba1c_percent)),
    ]


def _octet(value: int | None) -> bytes:
    return b"" if value is None else bytes((value,))
