"""A quarantined message or reading."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """``seen``: how often it has come. ``payload_octets``: its size; the payload itself is read on demand."""

    quarantine_id: UUID
    received_at: datetime
    gateway_id: str
    device_id: str | None
    reason_code: str
    reason: str
    seen: int
    resolved_at: datetime | None
    payload_octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWithPayload(Item):
    payload: bytes
    payload_sha256: bytes
