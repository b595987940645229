import pytest

from device_drivers.errors import ForbiddenCommand
from device_drivers.links.allow_list import GattAllowList, allows, sig_uuid

CONTROL_POINT = sig_uuid("2a52")


@pytest.mark.parametrize(
    ("pattern", "octets", "verdict"),
    [
        ("01 01", "0101", True),
        ("01 01", "0102", False),
        ("01 01", "010100", False),
        ("01 01", "01", False),
        ("01 *", "01", True),
        ("01 *", "01ffff", True),
        ("01 .. 03", "01ff03", True),
        ("01 .. 03", "01ff04", False),
        ("*", "", True),
        ("", "01", False),
    ],
)
def test_a_pattern_covers_all_octets_or_none(pattern: str, octets: str, verdict: bool) -> None:
    assert allows(pattern, bytes.fromhex(octets)) is verdict


def test_a_command_is_allowed_to_its_characteristic_only() -> None:
    guard = GattAllowList(("2a52: 01 *",), "some-meter")
    guard.check(CONTROL_POINT, b"\x01\x01")
    for characteristic, octets in ((CONTROL_POINT, b"\x02\x01"), (sig_uuid("2a08"), b"\x01\x01")):
        with pytest.raises(ForbiddenCommand, match="some-meter"):
            guard.check(characteristic, octets)


def test_a_short_uuid_is_a_sig_uuid() -> None:
    assert str(sig_uuid(0x2A52)) == str(sig_uuid("2a52")) == "00002a52-0000-1000-8000-00805f9b34fb"
    assert str(sig_uuid("00000000-0002-11e2-9e96-0800200c9a66")).startswith("00000000-0002")
