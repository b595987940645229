"""A pairing, as its page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cloud.commands.models import Command
from device_drivers.identity import DeviceIdentity

# Time enough to fetch the meter and find its menu; the digits are asked for while it shows them (proposals).
LASTS: Final = timedelta(minutes=10)
DIGITS_COUNT_FOR: Final = timedelta(seconds=60)
# While the gateway waits for somebody. What follows is the gateway's own, or over.
_ASKED: Final = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """``profile`` of the model, ``name`` of the device in the gateway's roster; ``settled``: what came of it."""

    command_id: UUID
    gateway_id: str
    patient_id: UUID
    item_id: UUID | None
    profile: str
    name: str
    begun_at: datetime
    settled_at: datetime | None
    settled: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A device that the gateway hears; ``number`` where it can be the one."""

    number: int | None
    name: str | None
    ends_with: str | None
    rssi: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where it stands: a state of the gateway's (``gateway/pairing.py``), or one of ours before and after it.

    ``state``: asked, searching, several, connecting, passkey_wanted, pairing, reading, paired, failed. ``why``: of what
    failed. ``step`` grows with whatever is new.
    """

    state: str
    step: int
    why: str | None
    said: str | None
    seen: Sequence[Seen]
    identity: DeviceIdentity | None
    received: int

    @property
    def is_over(self) -> bool:
        return self.state in ("paired", "failed")


def progress(command: Command) -> Progress:
    """What a command says of its pairing; whatever a gateway sends is read with care."""
    detail = command.detail
    state = _text(detail, "state") or _ASKED
    why = _text(detail, "why")
    if command.stage in ("refused", "failed", "expired"):
        why = why or {"refused": "refused_by_gateway", "expired": "no_answer"}.get(command.stage, "interrupted")
        state = "failed"
    identity = _identity(detail)
    if command.stage == "done":
        state = "paired" if identity is not None else "failed"
        why = None if identity is not None else "interrupted"
    return Progress(
        state=state,
        step=command.step + (1000 if command.stage == "expired" else 0),
        why=why if state == "failed" else None,
        said=command.reason or _text(detail, "radio") or _text(detail, "answered"),
        seen=[_seen(one) for one in _list(detail, "seen") if isinstance(one, dict)],
        identity=identity,
        received=detail["received"] if isinstance(detail.get("received"), int) else 0,
    )


def _identity(detail: Mapping[str, Any]) -> DeviceIdentity | None:
    manufacturer, model = _text(detail, "manufacturer"), _text(detail, "model")
    if manufacturer is None or model is None:
        return None
    found = DeviceIdentity(
        manufacturer=manufacturer,
        model=model,
        serial_number=_text(detail, "serial_number"),
        system_id=_text(detail, "system_id"),
        address=_text(detail, "address"),
        firmware=_text(detail, "firmware"),
    )
    return found if found.serial_number or found.system_id or found.address else None


def _seen(one: Mapping[str, Any]) -> Seen:
    number, rssi = one.get("number"), one.get("rssi")
    return Seen(
        number=number if isinstance(number, int) else None,
        name=_text(one, "name"),
        ends_with=_text(one, "ends_with"),
        rssi=rssi if isinstance(rssi, int) else None,
    )


def _list(detail: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = detail.get(name)
    return found[:50] if isinstance(found, list) else []


def _text(detail: Mapping[str, Any], name: str) -> str | None:
    found = detail.get(name)
    return found[:200] if isinstance(found, str) and found else None
