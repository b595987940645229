"""Measure again: a value beyond a limit that wants confirming starts a timer at once and never waits for an average.

The timer is data (``Remeasure.due``): the cloud stores it and calls ``judge`` when an answer arrives and when it is
due. ``judge`` says CONFIRMED as soon as one answer is beyond the limit, CLEARED not before the timer runs out (a third
reading may yet be high), and UNANSWERED where nobody measured again: a crisis is never forgotten.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.comparators import says_something, violates
from alerting.reasons import Answer, LimitReason, RemeasureReason
from alerting.regimes import Confirmation, RegimeLimit
from alerting.tiers import Tier
from device_drivers.readings import Quantity

# An answer given long ago may be right behind a first figure that reached us late: nobody is said to have given
# none before it had so long to arrive (proposal of this project, as the 5 minutes "for the way" of the limits).
ON_ITS_WAY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answering:
    """A later figure of the same measure: a reading, or for a session's limit the mean of a later session."""

    figure: Quantity
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remeasure:
    """A running timer."""

    first: LimitReason
    first_at: datetime
    earliest: datetime
    due: datetime

    @property
    def limit(self) -> RegimeLimit:
        """The limit that asks for it, as it was in force at the first reading."""
        return self.first.limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the answers say by now. ``tier`` is None while it waits, and where it is cleared."""

    answer: Answer
    tier: Tier | None
    reason: RemeasureReason


def started(first: LimitReason, at: datetime, received_at: datetime) -> Remeasure | None:
    """The timer that this reading starts; None where its limit asks for none. It runs on after a late arrival."""
    confirm = first.limit.confirm
    if confirm is None:
        return None
    due = max(at + confirm.due, received_at + ON_ITS_WAY)
    return Remeasure(first=first, first_at=at, earliest=at + confirm.earliest, due=due)


def judge(remeasure: Remeasure, later: Iterable[Answering], at: datetime) -> Judgement:
    """What the figures after the first one say at this time. Figures after ``due`` are no answer: they speak anew.

    An answer beyond the limit confirms even before ``earliest``; a harmless one that early clears nothing. Cleared is
    harmless in every answer, at least one of which came in time.
    """
    limit = remeasure.limit
    confirm = limit.confirm
    if confirm is None:
        raise ValueError(f"the limit of {limit.condition} asks for no second measurement")
    answers = [a for a in later if remeasure.first_at < a.at <= min(remeasure.due, at) and says_something(a.figure)]
    confirming = next((a for a in answers if violates(a.figure, limit)), None)
    if confirming is not None:
        return _judged(remeasure, Answer.CONFIRMED, confirm, confirming.figure, len(answers))
    if at < remeasure.due:
        return _judged(remeasure, Answer.WAITING, confirm, None, len(answers))
    in_time = [a for a in answers if a.at >= remeasure.earliest]
    if not in_time:
        return _judged(remeasure, Answer.UNANSWERED, confirm, None, 0)
    return _judged(remeasure, Answer.CLEARED, confirm, in_time[-1].figure, len(in_time))


def _judged(
    remeasure: Remeasure, answer: Answer, confirm: Confirmation, again: Quantity | None, answers: int
) -> Judgement:
    tier = {
        Answer.CONFIRMED: confirm.confirmed or remeasure.limit.tier,
        Answer.UNANSWERED: confirm.unanswered or remeasure.limit.tier,
        Answer.WAITING: None,
        Answer.CLEARED: None,
    }[answer]
    reason = RemeasureReason(
        first=remeasure.first,
        first_at=remeasure.first_at,
        due=remeasure.due,
        answer=answer,
        again=again,
        answers=answers,
    )
    return Judgement(answer=answer, tier=tier, reason=reason)
