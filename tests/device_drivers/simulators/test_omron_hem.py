"""The simulated cuff against the reports that were captured from a real one, stale octets included."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from device_drivers.codecs import omron_hem as wire
from device_drivers.simulators.omron_hem import SimulatedOmron
from device_drivers.simulators.spec import DeviceSpec, RecordSpec
from firmware_profiles.catalogue import catalogue

CAPTURE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "captures" / "omron_hem.json").read_text())
(KNOWN,) = [known for known in CAPTURE["answers"] if known["what"] == "a record"]
CLOCK = datetime.fromisoformat(KNOWN["local"]).replace(tzinfo=UTC)


def the_captured_cuff(mode: bytes) -> SimulatedOmron:
    """A simulated cuff in the state of the captured one."""
    figures = RecordSpec(systolic=KNOWN["systolic"], diastolic=KNOWN["diastolic"], pulse=KNOWN["pulse"])
    spec = DeviceSpec(profile="omron-hem-790it", name="cuff", serial_number="1", records=(figures,))
    cuff = SimulatedOmron(catalogue().get(spec.profile), spec, lambda: CLOCK)
    cuff.set_feature(mode)
    return cuff


def asked(cuff: SimulatedOmron, command: bytes) -> list[bytes]:
    """The reports that answer a command."""
    return [answer for report in wire.reports_of(command) for answer in cuff.receive(report)]


def test_it_gives_its_version_report_for_report() -> None:
    captured = CAPTURE["reports"][0]["reports"]
    assert [report.hex() for report in asked(the_captured_cuff(wire.INFORMATION), wire.VERSION)] == captured


def test_it_gives_the_captured_record() -> None:
    reports = asked(the_captured_cuff(wire.READINGS), wire.record_command(0, 0))
    assert b"".join(map(wire.report_octets, reports)).hex() == KNOWN["octets"]


def test_it_says_nothing_before_a_mode_was_chosen_and_no_readings_in_the_other() -> None:
    assert asked(the_captured_cuff(b""), wire.VERSION) == []
    reports = asked(the_captured_cuff(wire.INFORMATION), wire.count_command(0))
    assert [wire.report_octets(report) for report in reports] == [wire.BUSY]


def test_a_record_without_figures_is_refused() -> None:
    cuff = the_captured_cuff(wire.READINGS)
    cuff.measure(RecordSpec())
    with pytest.raises(ValueError, match="needs systolic, diastolic and pulse"):
        asked(cuff, wire.record_command(0, 0))
