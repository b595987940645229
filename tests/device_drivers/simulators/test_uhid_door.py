"""What the door tells the kernel; the kernel itself is asked in the guest suite (tests/bluez/test_hid.py)."""

from device_drivers.simulators.uhid_door import report_descriptor


def test_a_device_describes_input_output_and_feature_reports_of_one_length() -> None:
    assert report_descriptor(8).hex(" ") == (
        "06 00 ff 09 01 a1 01 15 00 26 ff 00 75 08 95 08 09 01 81 02 09 01 91 02 09 01 b1 02 c0"
    )
    assert report_descriptor(64) == report_descriptor(8).replace(b"\x95\x08", b"\x95\x40")
