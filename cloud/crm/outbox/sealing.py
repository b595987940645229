"""Secrets of CRMs and telephone systems at rest: sealed under PULSEPOST_CRM_KEY, for one of them each."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from cloud.auth.sealing import WrongKey, opened, seal


class NotOpened(Exception):
    """The key is missing, or another one; the message says what to do."""


def sealed(key: bytes | None, destination_id: UUID, secrets: Mapping[str, str]) -> bytes | None:
    """For this destination only; None: there is nothing to seal. NotOpened without a key."""
    return seal(_needed(key), destination_id, msgspec.json.encode(dict(secrets))) if secrets else None


def secrets_of(key: bytes | None, destination_id: UUID, kept: bytes | None) -> Mapping[str, str]:
    """By name. NotOpened."""
    if kept is None:
        return {}
    try:
        return msgspec.json.decode(opened(_needed(key), destination_id, kept), type=dict[str, str])
    except WrongKey:
        raise NotOpened("Set PULSEPOST_CRM_KEY to the key under which the secrets were sealed.") from None


def _needed(key: bytes | None) -> bytes:
    """NotOpened."""
    if key is None:
        raise NotOpened("Set PULSEPOST_CRM_KEY first: secrets are sealed under it.")
    return key
