"""What follows from how a try went: pure. All spans are proposals of this project."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.crm.outbox.models import Health, Letter
from cloud.crm.port import CALL_WITHIN_S, Ambiguous, CrmError, NotYet, Paced, Refused, Shut, TryLater

# Six verbs at the most (looked for, made, refused, and all of it once again), and a name to be looked up: whoever holds
# a letter longer is dead.
LEASE: Final = timedelta(seconds=6 * CALL_WITHIN_S + 60)
# How long an event that was taken, or settled, is still kept, and a hint: a month, to compare with what the CRM has (a
# proposal).
# What waits or was not taken is kept until it is over, and with it what followed of the same thing.
KEPT: Final = timedelta(days=30)
# What was asked with Retry-After is heeded up to this.
LONGEST_WAIT: Final = timedelta(hours=6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """``first_retry`` doubles with each try up to ``last_retry``; ``probe`` likewise while all of it is down.

    ``down_after``: so many failures in a row, of different events, or because it said "not now".
    """

    first_retry: timedelta = timedelta(seconds=5)
    last_retry: timedelta = timedelta(minutes=15)
    first_probe: timedelta = timedelta(seconds=15)
    last_probe: timedelta = timedelta(minutes=5)
    down_after: int = 3


PATIENCE: Final = Patience()


@dataclass(frozen=True, slots=True)
class Again:
    """Try it again then."""

    at: datetime
    what: str
    unclear: bool


@dataclass(frozen=True, slots=True)
class Dead:
    """Nobody tries it again by themselves."""

    what: str


def after_failure(
    letter: Letter, error: CrmError, health: Health, max_age: timedelta, now: datetime, patience: Patience = PATIENCE
) -> Again | Dead:
    """``health`` as it is after this failure. While all of it is down nothing grows too old."""
    if isinstance(error, Refused):
        return Dead(f"refused: {error.what}")
    if isinstance(error, Paced | NotYet):
        return Again(now + _asked(error), error.what, unclear=False)
    if health.down_since is None and now - letter.since >= max_age:
        return Dead(f"too old: {error.what}")
    wait = _stretched(_doubled(patience.first_retry, letter.attempts, patience.last_retry), letter.event_id.int)
    return Again(now + max(wait, _asked(error)), error.what, isinstance(error, Ambiguous))


def failed(health: Health, letter: Letter, error: CrmError, now: datetime, patience: Patience = PATIENCE) -> Health:
    """How the destination stands after a failure; a refusal is an answer, and no failure of the destination."""
    if isinstance(error, Refused):
        return Health()
    if isinstance(error, Paced):
        return replace(health, not_before=now + _asked(error))
    if isinstance(error, NotYet) and health.down_since is None:
        return health
    # "Not now" is about all of it; what is unclear may be about this one event.
    counts = isinstance(error, TryLater) or health.failing != letter.event_id
    health = replace(health, failures=health.failures + counts, failing=letter.event_id)
    asked = _asked(error) if isinstance(error, TryLater) else timedelta(0)
    if health.down_since is None and not (isinstance(error, Shut) or health.failures >= patience.down_after):
        return replace(health, not_before=now + asked if asked else None)
    wait = _doubled(patience.first_probe, health.probes + 1, patience.last_probe)
    return replace(
        health,
        down_since=health.down_since or now,
        down_why=error.what[:200],
        probes=health.probes + 1,
        not_before=now + max(_stretched(wait, letter.event_id.int), asked),
    )


def _doubled(first: timedelta, times: int, last: timedelta) -> timedelta:
    return min(first * (1 << min(max(times, 1) - 1, 20)), last)


def _stretched(wait: timedelta, seed: int) -> timedelta:
    """By up to a half, so that nobody retries in step."""
    return wait * (1 + seed % 1000 / 2000)


def _asked(error: CrmError) -> timedelta:
    asked = error.retry_after if isinstance(error, TryLater | Ambiguous) else None
    return min(max(asked or timedelta(0), timedelta(0)), LONGEST_WAIT)
