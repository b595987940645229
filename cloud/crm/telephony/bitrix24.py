"""Bitrix24 as a telephone system (scope telephony), after the vendor's descriptions (bitrix-tools/b24-rest-docs).

``telephony.externalCall.register`` shows the call's card to whoever has the extension, with the number to dial; it
dials nothing. ``telephony.externalCall.finish`` closes the card, and ``telephony.externalCall.attachRecord`` lets the
portal copy a recording. With a ``line`` of the portal's own telephony ``voximplant.callback.start`` calls the line's
employee and then the number. It is for applications: an OAuth token lasts an hour, and is exchanged when it is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from cloud.crm.connectors.bitrix24.pace import Pace
from cloud.crm.connectors.bitrix24.rest import Rest
from cloud.crm.connectors.door import Door, decoded
from cloud.crm.port import Ambiguous, Refused, Shut
from cloud.crm.telephony.port import Dial, Dialled, Over

# Where the vendor exchanges tokens, of all portals.
EXCHANGE: Final = "https://oauth.bitrix24.tech/oauth/token/"
OUTGOING: Final = 1
# What is said to the employee before they are connected: not who it is.
SPOKEN: Final = "Pulsepost"
STATUS: Final = {"reached": "200", "not_reached": "304", "voicemail": "304"}
REFUSED: Final = frozenset({"expired_token", "NO_AUTH_FOUND", "INVALID_CREDENTIALS"})
AGAIN: Final = "Bitrix24 does not let the application in any more. Install it again and give its new refresh_token."


class _Tokens(msgspec.Struct, frozen=True):
    access_token: str
    refresh_token: str


@dataclass(slots=True, kw_only=True)
class Application:
    """The application's way in. ``keep`` is given each new refresh token before it is used: the former one is gone."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    exchange: str
    keep: Callable[[str], None] = field(repr=False)
    access_token: str = field(default="", repr=False)

    def exchanged(self, door: Door) -> str:
        """A token that is good now. Shut where the application is not let in any more; CrmError."""
        asked = {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        answer = door.ask("POST", self.exchange, body=urlencode(asked).encode(), headers=headers)
        if answer.status >= 500:
            raise Ambiguous(f"status {answer.status}")
        tokens = decoded(answer.body, _Tokens)
        if tokens is None:
            raise Shut(AGAIN)
        self.keep(tokens.refresh_token)
        self.refresh_token, self.access_token = tokens.refresh_token, tokens.access_token
        return self.access_token


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitrix24:
    """``portal``: https://NAME.bitrix24.com. ``takes_recordings``: recordings may be copied into the portal."""

    door: Door
    portal: str
    application: Application
    pace: Pace
    now: Callable[[], datetime] = field(repr=False)
    line: str = ""
    takes_recordings: bool = False

    def dial(self, dial: Dial) -> Dialled:
        """The port's promise."""
        if self.line:
            said = self._write(
                "voximplant.callback.start",
                {"FROM_LINE": self.line, "TO_NUMBER": dial.number, "TEXT_TO_PRONOUNCE": SPOKEN},
            )
            return Dialled(remote_id=_text(said, "CALL_ID"), rings=True)
        said = self._write(
            "telephony.externalCall.register",
            {
                "USER_PHONE_INNER": dial.extension,
                "PHONE_NUMBER": dial.number,
                "TYPE": OUTGOING,
                "CALL_START_DATE": dial.at.isoformat(timespec="seconds"),
                "CRM_CREATE": 0,
                "SHOW": 1,
                "ADD_TO_CHAT": 0,
                "EXTERNAL_CALL_ID": dial.key,
            },
        )
        return Dialled(remote_id=_text(said, "CALL_ID"), rings=False)

    def over(self, over: Over) -> None:
        """The portal closes the card, and keeps the call in its statistics."""
        if self.line:
            return  # its own telephony knows
        self._write(
            "telephony.externalCall.finish",
            {
                "CALL_ID": over.remote_id,
                "USER_PHONE_INNER": over.extension,
                "DURATION": int(over.duration.total_seconds()) if over.outcome == "reached" else 0,
                "STATUS_CODE": STATUS.get(over.outcome, "OTHER"),
                "ADD_TO_CHAT": 0,
            },
        )

    def attach(self, remote_id: str, url: str) -> None:
        """The portal fetches it from there, once."""
        self._write("telephony.externalCall.attachRecord", {"CALL_ID": remote_id, "RECORD_URL": url})

    def _write(self, method: str, params: dict[str, object]) -> Any:
        rest = Rest(door=self.door, url=f"{self.portal}/rest/", pace=self.pace, now=self.now, since=self.now())
        if self.application.access_token:
            try:
                return rest.write(method, {**params, "auth": self.application.access_token}).result
            except Shut as shut:
                if shut.what not in REFUSED:
                    raise
        return rest.write(method, {**params, "auth": self.application.exchanged(self.door)}).result


def _text(said: Any, name: str) -> str:
    """Refused where the answer is not as they describe it."""
    found = said.get(name) if isinstance(said, dict) else None
    if not isinstance(found, str) or not 0 < len(found) <= 200:
        raise Refused("an answer without a call")
    return found
