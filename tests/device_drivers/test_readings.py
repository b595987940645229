"""The Reading: identity from what the device said, states that are not numbers."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from device_drivers.identity import DeviceIdentity
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Component, Kind, Quantity, QuantityState, Reading, ReportedTime

METER = DeviceIdentity(manufacturer="LifeScan", model="OneTouch UltraMini", serial_number="C069GA21E")
READING = Reading(
    device=METER,
    kind=Kind.GLUCOSE,
    components=(Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, Quantity(Decimal(196), Unit.MG_DL)),),
    reported_time=ReportedTime("2011-09-05T13:41:41", datetime(2011, 9, 5, 13, 41, 41)),  # noqa: DTZ001 - a device's wall clock
    profile="lifescan-onetouch-ultramini",
    raw=bytes.fromhex("0506 95d1644e c4000000"),
)


def glucose(value: str | None, state: QuantityState = QuantityState.MEASURED) -> tuple[Component, ...]:
    quantity = Quantity(Decimal(value) if value else None, Unit.MG_DL, state)
    return (Component(Mdc.CONC_GLU_CAPILLARY_PLASMA, quantity),)


def test_the_identity_of_a_reading_never_changes_between_releases() -> None:
    # Pinned: every ledger in the world is keyed by it.
    assert READING.reading_id == "654ed14d437fc41ea526a62786fe5831"


@pytest.mark.parametrize(
    "other",
    [
        replace(READING, sequence_number=7),
        replace(READING, occurrence=1),
        replace(READING, user_index=2),
        replace(READING, components=glucose("197")),
        replace(READING, components=glucose(None, QuantityState.ABOVE_RANGE)),
        replace(READING, reported_time=ReportedTime("2011-09-05T13:41:42", None)),
        replace(READING, device=replace(METER, serial_number="C069GA21F")),
    ],
)
def test_what_the_device_said_makes_the_identity(other: Reading) -> None:
    assert other.reading_id != READING.reading_id


def test_what_we_add_does_not_touch_the_identity() -> None:
    seen_again = replace(
        READING,
        profile="another",
        raw=b"",
        annotations=("irregular_pulse",),
        context={"meal": "fasting"},
        device=replace(METER, firmware="2.0", address="00:11:22:33:44:55"),
    )
    assert seen_again.reading_id == READING.reading_id


def test_hi_and_lo_are_states_and_never_numbers() -> None:
    with pytest.raises(ValueError, match="above_range"):
        Quantity(Decimal(600), Unit.MG_DL, QuantityState.ABOVE_RANGE)
    with pytest.raises(ValueError, match="measured"):
        Quantity(None, Unit.MG_DL)
    assert str(Quantity(None, Unit.MG_DL, QuantityState.ABOVE_RANGE, Decimal(600))) == "HI (> 600 mg/dL)"


def test_a_reported_time_is_naive() -> None:
    with pytest.raises(ValueError, match="naive"):
        ReportedTime("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC))


def test_a_device_is_known_by_its_best_evidence() -> None:
    assert METER.device_id == "lifescan:sn:C069GA21E"
    assert (
        replace(METER, serial_number=None, system_id="0011223344556677").device_id == "lifescan:eui64:0011223344556677"
    )
    assert (
        replace(METER, serial_number=None, address="F0:00:00:00:00:01").device_id == "lifescan:addr:F0:00:00:00:00:01"
    )
    with pytest.raises(ValueError, match="cannot be told"):
        _ = replace(METER, serial_number=None).device_id
