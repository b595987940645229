"""A destination's secrets at rest: sealed under PULSEPOST_CRM_KEY, as second factors are under the console's key."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from cloud.auth.sealing import WrongKey, opened, seal


class NotOpened(Exception):
    """The key is missing, or another one; the message says what to do."""


def sealed(key: bytes, destination_id: UUID, secrets: Mapping[str, str]) -> bytes:
    """For this destination only."""
    return seal(key, destination_id, msgspec.json.encode(dict(secrets)))


def secrets_of(key: bytes | None, destination_id: UUID, kept: bytes | None) -> Mapping[str, str]:
    """By name. NotOpened."""
    if kept is None:
        return {}
    if key is None:
        raise NotOpened("Set PULSEPOST_CRM_KEY: secrets of CRMs are sealed under it.")
    try:
        return msgspec.json.decode(opened(key, destination_id, kept), type=dict[str, str])
    except WrongKey:
        raise NotOpened("Set PULSEPOST_CRM_KEY to the key under which the secrets were sealed.") from None
