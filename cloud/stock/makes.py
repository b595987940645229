"""The models that gateways can read, and what to press on them: facts of the firmware profiles, for people.

The one place of the cloud that looks into the profiles.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from firmware_profiles.catalogue import catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """One model. ``steps``: what to press before it is paired; empty: its own manual says it.

    ``method``: how it is paired over Bluetooth; None: it is on a cable.
    """

    profile: str
    manufacturer: str
    model: str
    aliases: Sequence[str]
    kind: str
    method: str | None
    steps: Sequence[str]

    @property
    def name(self) -> str:
        return f"{self.manufacturer} {self.model}"

    @property
    def shows_digits(self) -> bool:
        """Whether six digits have to be typed that it shows."""
        return self.method == "passkey"


@cache
def makes() -> Mapping[str, Make]:
    """All of them by profile, in the order of their names."""
    made: list[Make] = []
    for file in catalogue().files:
        device = file.device
        pairing = next((table.ble.pairing for table in file.firmware if table.ble is not None), None)
        made.append(
            Make(
                profile=device.id,
                manufacturer=device.maker,
                model=device.model,
                aliases=device.aliases,
                kind=device.kind,
                method=pairing.method if pairing is not None else None,
                steps=pairing.steps if pairing is not None else (),
            )
        )
    return {make.profile: make for make in sorted(made, key=lambda make: make.name.lower())}


def texts() -> Sequence[str]:
    """Every sentence of theirs that is shown to people, for the translators."""
    return [step for make in makes().values() for step in make.steps]
