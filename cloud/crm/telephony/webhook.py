"""The signed generic webhook, both ways: CloudEvents, signed as Standard Webhooks say (v1).

Out goes ``org.pulsepost.telephone.ring.v1`` with ``extension``, ``number`` and ``reference``; the answer may name the
call: ``{"id": "..."}``. Back come the events of HEARD, whose data has ``call`` (their id of it), ``direction``,
``number`` (none: withheld), ``extension``, ``reference`` (ours, where we asked for the call), and for a recording
``recording`` with ``reference``, ``sha256`` (hexadecimal) and ``hashed_by``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec

from cloud.contacts.numbers import e164
from cloud.crm.connectors.door import Door
from cloud.crm.connectors.signed import is_plain, post, read, signed_at
from cloud.crm.port import NotGenuine
from cloud.crm.telephony.models import Event, Heard
from cloud.crm.telephony.port import Dial, Dialled
from cloud.notifications.channels.signing import ID

RING: Final = "org.pulsepost.telephone.ring.v1"
HEARD: Final[Mapping[str, Heard]] = {f"org.pulsepost.telephone.call.{what}.v1": what for what in Heard}
LONGEST_PLACE: Final = 500
LONGEST_NAME: Final = 60
# A clock that is wrong by more than this says nothing of when it was.
BELIEVED: Final = timedelta(hours=24)


class _Recording(msgspec.Struct, frozen=True):
    reference: str
    sha256: str | None = None
    hashed_by: str | None = None


class _Call(msgspec.Struct, frozen=True):
    call: str
    direction: str = "in"
    number: str | None = None
    extension: str | None = None
    reference: str | None = None
    recording: _Recording | None = None


class _Envelope(msgspec.Struct, frozen=True):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``keys``: with the newest first; each signs."""

    door: Door
    url: str = field(repr=False)
    keys: Sequence[bytes] = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)

    def dial(self, dial: Dial) -> Dialled:
        """The port's promise."""
        body = msgspec.json.encode(
            {
                "specversion": "1.0",
                "id": dial.key,
                "source": "/pulsepost/telephone",
                "type": RING,
                "time": dial.at,
                "datacontenttype": "application/json",
                "data": {"extension": dial.extension, "number": dial.number, "reference": dial.key},
            }
        )
        return Dialled(remote_id=post(self.door, self.url, self.keys, dial.key, body, self.now), rings=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEars:
    """What a telephone system posts to us. ``keys``: any of them may have signed it; ``region``: of short numbers."""

    keys: Sequence[bytes] = field(repr=False)
    region: str | None = None

    def heard(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Event | None:
        """The event, verified; None where it tells of nothing that concerns us. NotGenuine."""
        at = signed_at(self.keys, headers, body, now)
        envelope = read(body, _Envelope)
        what = HEARD.get(envelope.type)
        if what is None:
            return None
        try:
            return self._event(headers[ID], at, what, read(envelope.data, _Call), envelope.time, now)
        except ValueError:
            raise NotGenuine("unreadable") from None

    def _event(
        self, event_id: str, at: datetime, what: Heard, call: _Call, time: datetime | None, now: datetime
    ) -> Event:
        """ValueError."""
        if not (is_plain(event_id) and is_plain(call.call) and call.direction in ("in", "out")):
            raise ValueError
        recording = call.recording
        if (what is Heard.RECORDED) != (recording is not None):
            raise ValueError
        if recording and not is_plain(recording.reference, LONGEST_PLACE):
            raise ValueError
        sha256 = bytes.fromhex(recording.sha256) if recording and recording.sha256 else None
        if sha256 is not None and len(sha256) != 32:
            raise ValueError
        hashed_by = recording.hashed_by if recording else None
        return Event(
            event_id=event_id,
            signed_at=at,
            what=what,
            remote_id=call.call,
            at=time if time and time.tzinfo and abs(time - now) < BELIEVED else now,
            direction=call.direction,
            number=e164(call.number, self.region) if call.number else None,
            extension=_extension(call.extension),
            ring_id=_uuid(call.reference),
            place=recording.reference if recording else None,
            sha256=sha256,
            hashed_by=hashed_by if hashed_by and is_plain(hashed_by, LONGEST_NAME) else None,
        )


def _extension(text: str | None) -> str | None:
    """As they are kept; None for what cannot be one."""
    is_one = text is not None and 0 < len(text) <= 20 and all(sign in "0123456789*#" for sign in text)
    return text if is_one else None


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
