"""The udev rules give one group what the catalogue's devices need, and nobody else anything."""

import re
from pathlib import Path

import pytest

from firmware_profiles.catalogue import catalogue

RULES = (Path(__file__).parents[2] / "deploy" / "udev" / "70-pulsepost.rules").read_text()
LINES = [line for line in RULES.splitlines() if line and not line.startswith("#")]
SHAPE = re.compile(
    r'(KERNEL=="hidraw\*", SUBSYSTEM=="(?P<hidraw>hidraw)"|SUBSYSTEM=="tty")'
    r', ATTRS\{idVendor\}=="(?P<vendor>[0-9a-f]{4})"'
    r'(, ATTRS\{idProduct\}=="(?P<product>[0-9a-f]{4})")?'
    r', GROUP="pulsepost", MODE="0660"'  # nothing behind it: udev knows no comment at the end of a line
)


@pytest.mark.parametrize("line", LINES)
def test_every_rule_gives_one_group_one_kind_of_device(line: str) -> None:
    assert SHAPE.fullmatch(line)


def test_every_hid_device_of_the_catalogue_has_its_rule() -> None:
    found = [rule for rule in map(SHAPE.fullmatch, LINES) if rule is not None and rule["hidraw"]]
    for profile in catalogue():
        if profile.firmware.transport == "hid":
            for vendor, product in (usb.split(":") for usb in profile.device.match.usb):
                assert any(rule["vendor"] == vendor and rule["product"] in (None, product) for rule in found)
