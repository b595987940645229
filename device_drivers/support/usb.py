"""The USB id behind a device file, from sysfs: it tells HID devices apart before a single octet is sent."""

import re
from pathlib import Path

CLASSES = Path("/sys/class")
_KINDS = ("hidraw", "tty")


def usb_id(url: str, classes: Path = CLASSES) -> str | None:
    """``vvvv:pppp`` of the USB device behind a file (``/dev/hidraw0``, ``/dev/ttyUSB0``); None where it is none."""
    name = Path(url).resolve().name if url.startswith("/") else ""
    for kind in _KINDS:
        node = classes / kind / name / "device"
        if name and node.exists():
            return _of(node.resolve())
    return None


def _of(folder: Path) -> str | None:
    """The nearest folder above that is a USB device."""
    for each in (folder, *folder.parents):
        vendor, product = each / "idVendor", each / "idProduct"
        if vendor.is_file() and product.is_file():
            found = f"{vendor.read_text().strip()}:{product.read_text().strip()}".lower()
            return found if re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", found) else None
    return None
