"""The simulated meter against the session that was captured from a real one, octet for octet."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from device_drivers.simulators.ultramini import SimulatedUltraMini
from firmware_profiles.catalogue import catalogue

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "lifescan_ultramini.json").read_text())
CLOCK = datetime.fromisoformat(CAPTURE["meter"]["clock"]).replace(tzinfo=UTC)


def the_captured_meter() -> SimulatedUltraMini:
    """A simulated meter in the state of the captured one."""
    ages = [(CLOCK.timestamp() - record["seconds"], record["mg_dl"]) for record in CAPTURE["records"]]
    spec = DeviceSpec(
        profile="lifescan-onetouch-ultramini",
        name="meter",
        serial_number=CAPTURE["meter"]["serial_number"],
        firmware=CAPTURE["meter"]["software"],
        records=tuple(RecordSpec(age_s=age, value=str(value)) for age, value in ages),
    )
    return SimulatedUltraMini(catalogue().get(spec.profile), spec, lambda: CLOCK)


def test_it_answers_the_captured_session_octet_for_octet() -> None:
    meter = the_captured_meter()
    sent: list[bytes] = []
    captured: list[bytes] = []
    for exchange in CAPTURE["session"]:
        for frame in exchange["frames"]:
            octets = bytes.fromhex(frame["octets"])
            if frame["from"] == "host":
                sent.extend(meter.receive(octets))
            else:
                captured.append(octets)
    assert [frame.hex() for frame in sent] == [frame.hex() for frame in captured]


def test_a_damaged_command_is_not_answered() -> None:
    assert the_captured_meter().receive(bytes.fromhex("02060803c263")) == []


def test_a_repeated_command_is_acknowledged_and_not_obeyed_again() -> None:
    meter = the_captured_meter()
    command = bytes.fromhex("020900050d0203da71")
    assert len(meter.receive(command)) == 2
    assert len(meter.receive(command)) == 1


def test_a_record_without_a_value_is_refused() -> None:
    spec = DeviceSpec(profile="lifescan-onetouch-ultramini", name="m", serial_number="1", records=(RecordSpec(),))
    meter = SimulatedUltraMini(catalogue().get(spec.profile), spec, lambda: CLOCK)
    with pytest.raises(ValueError, match="needs a value"):
        meter.receive(bytes.fromhex("020a00051f000003ab91"))
