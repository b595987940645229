"""One method of one portal: asked, and its answer understood. The address holds the secret and is said to nobody.

An error is known by its code, not by its status or its text (error-codes.md); the text is in the portal's language and
is not read. Tried again is what the limits refuse, what the server fails at, and what the network loses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import msgspec

from cloud.crm.connectors.bitrix24.pace import Pace
from cloud.crm.connectors.door import Door, decoded
from cloud.crm.port import CALL_WITHIN_S, Ambiguous, CrmError, NotYet, Paced, Refused, Shut, TryLater

# A request works for 60 s at most; one that nobody waits for any more may be carried out so much later.
SETTLES_AFTER: Final = timedelta(seconds=75)
LONGEST_CODE: Final = 60

# After these they take nothing of ours before a person does something: texts.CRM_WHYS says what.
FOR_A_PERSON: Final = frozenset(
    {
        "NO_AUTH_FOUND", "INVALID_CREDENTIALS", "expired_token", "insufficient_scope", "ERROR_METHOD_NOT_FOUND",
        "user_access_error", "ACCESS_DENIED", "OVERLOAD_LIMIT", "INVALID_REQUEST", "PORTAL_DELETED",
    }
)  # fmt: skip
# And where they say no such code.
WEBHOOK_REFUSED, NO_PORTAL = "webhook_refused", "no_portal"
# Of these a method says the one, and the portal the other: they are the portal's with this status (403 of old).
OF_THE_PORTAL: Final[Mapping[str, frozenset[int]]] = {"ACCESS_DENIED": frozenset({401, 403})}
# Who is blocked for overload is not to knock (error-codes.md); somebody may have had it opened. Ours.
BLOCKED_FOR: Final = timedelta(hours=1)
FAILED: Final = frozenset({"INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"})


class NotThere(Refused):
    """What the request is about does not exist there."""


class CompletedThere(Refused):
    """The todo was marked as done there, and can no longer be changed."""


NAMED: Final[Mapping[str, type[Refused]]] = {
    "NOT_FOUND": NotThere,
    "OWNER_NOT_FOUND": NotThere,
    "CAN_NOT_UPDATE_COMPLETED_TODO": CompletedThere,
}


class _Time(msgspec.Struct, frozen=True):
    operating_reset_at: float | None = None


class _Body(msgspec.Struct, frozen=True):
    result: Any = msgspec.UNSET
    error: str | int | msgspec.UnsetType = msgspec.UNSET
    next: int | None = None
    time: _Time | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """``next``: where the following page of a list begins; None on its last."""

    result: Any
    next: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The requests of one verb, which all together take CALL_WITHIN_S from ``since`` on; ``asked``: so far."""

    door: Door = field(repr=False)
    url: str = field(repr=False)
    pace: Pace
    now: Callable[[], datetime] = field(repr=False)
    since: datetime
    asked: list[str] = field(default_factory=list)

    def read(self, method: str, params: Mapping[str, object]) -> Reply:
        """What changes nothing there. TryLater, Paced, Shut, Refused; never Ambiguous."""
        try:
            return self._ask(method, params)
        except Ambiguous as error:
            raise TryLater(error.what, None) from None

    def write(self, method: str, params: Mapping[str, object]) -> Reply:
        """What changes something. TryLater, Paced, Shut, Refused; Ambiguous, for SETTLES_AFTER."""
        try:
            return self._ask(method, params)
        except Ambiguous as error:
            raise Ambiguous(error.what, SETTLES_AFTER) from None

    def _ask(self, method: str, params: Mapping[str, object]) -> Reply:
        left_s = CALL_WITHIN_S - (self.now() - self.since).total_seconds()
        if left_s <= 0:
            raise TryLater("took too long")
        if (rest := self.pace.rests(method, self.now())) is not None:
            raise NotYet("OPERATION_TIME_LIMIT", rest)
        if (wait := self.pace.take(self.now(), goes_on=bool(self.asked))) is not None:
            raise Paced("at our own pace", wait)
        self.asked.append(method)
        answer = replace(self.door, within_s=min(self.door.within_s, left_s)).ask(
            "POST",
            f"{self.url}{method}.json",
            body=msgspec.json.encode(params),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
        )
        body = decoded(answer.body, _Body)
        if body is None or body.error is not msgspec.UNSET or body.result is msgspec.UNSET:
            raise self._error(method, answer.status, body)
        if body.time is not None and body.time.operating_reset_at is not None:
            self.pace.worked(method, datetime.fromtimestamp(body.time.operating_reset_at, UTC))
        return Reply(body.result, body.next)

    def _error(self, method: str, status: int, body: _Body | None) -> CrmError:
        """The port's error of what is no success."""
        code = str(body.error) if body is not None and body.error is not msgspec.UNSET else ""
        if code == "QUERY_LIMIT_EXCEEDED":
            return TryLater(code, self.pace.refused(self.now()))
        if code == "OPERATION_TIME_LIMIT" or status == HTTPStatus.TOO_MANY_REQUESTS:
            return NotYet("OPERATION_TIME_LIMIT", self.pace.worked_too_long(method, self.now()))
        if code in FOR_A_PERSON and status in OF_THE_PORTAL.get(code, {status}):
            return Shut(code, BLOCKED_FOR if code == "OVERLOAD_LIMIT" else None)
        if code in FAILED or status >= 500 or status < 300:
            return Ambiguous(_said(status, code))
        if code in NAMED:
            return NAMED[code](_said(status, code))
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return Shut(WEBHOOK_REFUSED)
        if status < 400 or (status == HTTPStatus.NOT_FOUND and not code):
            return Shut(NO_PORTAL)
        return Refused(_said(status, code))


def _said(status: int, code: str) -> str:
    """Status and code; what is no code is what the far side said, and not ours to repeat."""
    is_code = 0 < len(code) <= LONGEST_CODE and code.isascii() and code.replace("_", "").isalnum()
    return f"status {status} {code}" if is_code else f"status {status}"
