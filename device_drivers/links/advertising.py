"""Telling an advertisement from the other news that BlueZ has of a device.

bleak reports a device whenever a property of it changes: when it advertises, and when it is connected, paired or hung
up on. The last of these made a gateway answer a device that had long been silent. BlueZ says ``RSSI`` anew for each
advertisement and keeps it as long as it scans, so a device was heard where it has an RSSI, and nothing but what an
advertisement carries has changed since the last report. Of a report in which both changed nothing is known; who still
advertises is reported again.
"""

from typing import Any

_OF_AN_ADVERTISEMENT = ("RSSI", "TxPower", "ManufacturerData", "ServiceData", "AdvertisingFlags", "AdvertisingData")
# Devices that hide have a new address every quarter of an hour: those of the last hours are enough.
_MOST_DEVICES = 256

_Properties = dict[str, Any]


class Freshness:
    """What was reported last of each device; ``platform_data`` is bleak's of one report."""

    def __init__(self) -> None:
        self._last: dict[str, _Properties] = {}

    def is_heard(self, platform_data: tuple[Any, ...]) -> bool:
        """Whether this report is an advertisement. A backend that is not BlueZ's reports nothing else."""
        match platform_data:
            case (str(path), dict(properties)):
                return self._is_heard(path, properties)
            case _:
                return True

    def _is_heard(self, path: str, properties: _Properties) -> bool:
        before = self._last.pop(path, None)
        self._last[path] = dict(properties)
        if len(self._last) > _MOST_DEVICES:
            del self._last[next(iter(self._last))]
        return "RSSI" in properties and (before is None or _standing(before) == _standing(properties))


def _standing(properties: _Properties) -> _Properties:
    return {name: value for name, value in properties.items() if name not in _OF_AN_ADVERTISEMENT}
