"""The USB id behind a device file, in a made-up sysfs."""

from pathlib import Path

import pytest

from device_drivers.support.usb import usb_id


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    """A cuff on a hidraw file and an adapter on a tty, as the kernel draws them."""
    for number, (kind, name, ids) in enumerate(
        (("hidraw", "hidraw0", "0590:0028"), ("tty", "ttyUSB0", "067B:2303"), ("tty", "ttyS0", ""))
    ):
        device = tmp_path / "devices" / f"usb{number}" / "1-1" / "1-1:1.0" / "function"
        device.mkdir(parents=True)
        if ids:
            vendor, product = ids.split(":")
            (device.parents[1] / "idVendor").write_text(f"{vendor}\n")
            (device.parents[1] / "idProduct").write_text(f"{product}\n")
        node = tmp_path / "class" / kind / name
        node.mkdir(parents=True)
        (node / "device").symlink_to(device)
    return tmp_path / "class"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("/dev/hidraw0", "0590:0028"),
        ("/dev/ttyUSB0", "067b:2303"),
        ("/dev/ttyS0", None),
        ("/dev/ttyUSB7", None),
        ("socket://127.0.0.1:7", None),
    ],
)
def test_a_device_file_leads_to_its_usb_id(url: str, wanted: str | None, classes: Path) -> None:
    assert usb_id(url, classes) == wanted
