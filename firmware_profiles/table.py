"""The support table of the README, generated so that it cannot say more than the profiles do."""

from firmware_profiles.catalogue import Catalogue
from firmware_profiles.schema import Profile

_HEAD = ("Maker", "Model", "Measures", "Way", "Driver", "Status")
_KIND = {"glucose": "glucose", "blood_pressure": "blood pressure"}
_WAY = {"serial": "serial", "ble": "Bluetooth LE", "hid": "USB HID"}
_BEGIN, _END = "<!-- devices:", "<!-- /devices -->"


def support_table(catalogue: Catalogue) -> str:
    """Markdown, one row per model and way, ordered by maker and model."""
    rows = sorted({_row(profile) for profile in catalogue})
    lines = [_HEAD, tuple("---" for _ in _HEAD), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _row(profile: Profile) -> tuple[str, ...]:
    device = profile.device
    model = f"{device.model} ({', '.join(device.aliases)})" if device.aliases else device.model
    way = _WAY[profile.firmware.transport]
    return device.maker, model, _KIND[device.kind], way, f"`{device.driver}`", str(device.status)


def with_table(page: str, table: str) -> str:
    """A page with this table between its two markers. ValueError where it lacks one of them."""
    start = page.index("\n", page.index(_BEGIN)) + 1
    end = page.index(_END, start)
    return page[:start] + table + page[end:]
