"""Gateways, their certificates and their devices, as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from psycopg.types.range import Range

from alerting.technical.limits import DEFAULT_LIMITS

# Whoever is not heard for so long is silent, whatever its last word was: a broker that died has said no last will.
SILENT_AFTER: Final = DEFAULT_LIMITS.gateway_silent


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A line in the list of gateways: what it last said of itself.

    ``worst`` is the highest priority of its open technical alarms, ``alarms`` their number, ``troubled`` how many of
    its ``devices`` have one. ``clock_offset_s``: its clock minus ours.
    """

    gateway_id: str
    state: str
    state_at: datetime | None
    last_seen_at: datetime | None
    revoked_at: datetime | None
    software: str | None
    outbox_depth: int | None
    oldest_unsent_s: int | None
    clock_offset_s: float | None
    clock_synchronised: bool | None
    disk_free_octets: int | None
    storage_error: str | None
    certificate_until: datetime | None
    worst: str | None
    alarms: int
    troubled: int
    devices: int

    def standing(self, now: datetime) -> str:
        """``revoked``, ``never_seen``, ``offline``, ``silent`` or ``online``."""
        if self.revoked_at is not None:
            return "revoked"
        if self.state == "online" and (self.last_seen_at is None or now - self.last_seen_at > SILENT_AFTER):
            return "silent"
        return self.state

    @property
    def oldest_unsent(self) -> timedelta | None:
        return None if self.oldest_unsent_s is None else timedelta(seconds=self.oldest_unsent_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of a list: ``total`` is of all that fit the search."""

    gateways: Sequence[Summary]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway(Summary):
    """All that one gateway has said of itself."""

    enrolled_at: datetime
    started_at: datetime | None
    versions: Mapping[str, str]
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    serial_number: Decimal
    issued_at: datetime
    not_before: datetime
    not_after: datetime
    how: str
    revoked_at: datetime | None
    revoked_why: str | None

    def state(self, now: datetime) -> str:
        """``revoked``, ``expired``, ``not_yet_valid``, ``replaced`` (it is revoked later) or ``valid``."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        if now >= self.not_after:
            return "expired"
        if now < self.not_before:
            return "not_yet_valid"
        return "replaced" if self.revoked_at is not None else "valid"

    @property
    def serial_hex(self) -> str:
        """As ``openssl x509 -serial`` writes it."""
        return f"{int(self.serial_number):X}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RosteredDevice:
    """A device of the gateway's configuration, as its last visit found it, and what we have of it.

    ``holds`` and ``missing`` are of its last visit that went to its end; ``holes`` are numbers that are missing.
    ``known`` are the readings of it that have arrived, ``quarantined`` those of them that are held back; both None
    where the device has not answered once.
    """

    name: str
    profile: str
    transport: str | None
    device_id: str | None
    visited_at: datetime | None
    outcome: str | None
    reason: str | None
    complete_at: datetime | None
    holds: int | None
    heard_at: datetime | None
    battery_low: bool | None
    repairs: Mapping[str, int]
    told_at: datetime
    missing: int | None
    holes: Sequence[Range[int]] | None
    known: int | None
    quarantined: int | None

    @property
    def stored(self) -> int | None:
        return None if self.known is None else self.known - (self.quarantined or 0)
