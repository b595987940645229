"""Webhooks signed as Standard Webhooks say (v1), both ways: what those of CRMs and of telephone systems have in common.

While secrets change there are two: each request carries both signatures, and what either of them signed is heard.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from cloud.crm.connectors.door import Door, check, decoded
from cloud.crm.connectors.envelopes import CONTENT_TYPE
from cloud.crm.port import NotGenuine
from cloud.notifications.channels.signing import SIGNATURE, TIMESTAMP, TOLERANCE, is_genuine, signed

LONGEST_ID: Final = 200

Shape = TypeVar("Shape")


class _Named(msgspec.Struct, frozen=True):
    id: str | int = ""


def post(
    door: Door, url: str, keys: Sequence[bytes], message_id: str, body: bytes, now: Callable[[], datetime]
) -> str | None:
    """Done; what they call it, None where they do not say. ``keys``: the newest first. CrmError as ``check`` says."""
    each = [signed(key, message_id, now(), body) for key in keys]
    signatures = " ".join(headers[SIGNATURE] for headers in each)
    headers = {"Content-Type": CONTENT_TYPE, "Accept": "application/json", **each[0], SIGNATURE: signatures}
    answer = door.ask("POST", url, body=body, headers=headers)
    check(answer, now())
    said = decoded(answer.body, _Named)
    named = str(said.id)[:LONGEST_ID] if said is not None else ""
    return named if is_plain(named) else None


def signed_at(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: datetime) -> datetime:
    """When one of the keys signed it. NotGenuine where none did; or not lately, which is said of a wrong clock, too."""
    text = headers.get(TIMESTAMP, "")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise NotGenuine("forged")
    at = datetime.fromtimestamp(int(text), UTC)
    if not any(is_genuine(key, headers, body, at) for key in keys):
        raise NotGenuine("forged")
    if abs(now - at) > TOLERANCE:
        raise NotGenuine("stale")
    return at


def read(body: bytes | msgspec.Raw, shape: type[Shape]) -> Shape:
    """What a webhook says. NotGenuine where that cannot be read."""
    found = decoded(body, shape)
    if found is None:
        raise NotGenuine("unreadable")
    return found


def is_plain(text: str, longest: int = LONGEST_ID) -> bool:
    """Whether the database can keep it, and anybody can read it."""
    return 0 < len(text) <= longest and text.isprintable()
