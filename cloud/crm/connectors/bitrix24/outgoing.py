"""The portal's outgoing webhook: form-urlencoded, unsigned, with a shared token in the body. A hint, and no more.

It tells that something has changed and its id; what has become of it is asked by REST (``Bitrix24.is_completed``).
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qsl

from cloud.crm.port import Hint, HintKind, NotGenuine

# An update is all that they tell of a completion: it is looked at as one.
HEARD: Final[Mapping[str, HintKind]] = {
    "ONCRMACTIVITYUPDATE": HintKind.TODO_COMPLETED,
    "ONCRMACTIVITYDELETE": HintKind.TODO_CHANGED,
    "ONCRMCONTACTUPDATE": HintKind.CONTACT_CHANGED,
}
MOST_FIELDS: Final = 200
LATEST_S: Final = 32_503_680_000  # the year 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitrix24Listener:
    """``token``: the application_token that the portal shows beside the outgoing webhook."""

    token: str = field(repr=False)

    def heard(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Hint]:
        """The port's promise. Nothing says how old it is: who plays one again makes us look again, at most."""
        del headers, now
        said = _fields(body)
        if not hmac.compare_digest(said.get("auth[application_token]", "").encode(), self.token.encode()):
            raise NotGenuine("forged")
        kind = HEARD.get(said.get("event", "").upper())
        if kind is None:
            return ()
        remote_id, at = said.get("data[FIELDS][ID]", ""), said.get("ts", "")
        if not _is_number(remote_id) or not _is_number(at) or int(at) > LATEST_S:
            raise NotGenuine("unreadable")
        told = "\n".join((said["event"].upper(), remote_id, at, said.get("auth[member_id]", "")))
        event_id = hashlib.sha256(told.encode()).hexdigest()[:32]
        return (Hint(event_id=event_id, kind=kind, remote_id=remote_id, at=datetime.fromtimestamp(int(at), UTC)),)


def _fields(body: bytes) -> Mapping[str, str]:
    """NotGenuine where it is no form."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise NotGenuine("unreadable") from None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
