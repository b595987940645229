"""When a patient is reminded, and how long an offer is kept: by the patient's clock, and never at night. Pure.

The spans are proposals of this project: a day before an appointment is time enough to cancel it for somebody else, and
two hours of the day are time enough to see that something is offered.
"""

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from alerting.duty import instant_of

REMIND_BEFORE: Final = timedelta(hours=24)
ANSWER_WITHIN: Final = timedelta(hours=2)
# Nobody is to hurry because of an offer, and whoever takes it must still be able to come.
LEAST_TO_ANSWER: Final = timedelta(minutes=30)
LEAST_BEFORE: Final = timedelta(hours=1)
MORNING: Final = time(9)
EVENING: Final = time(20)


def remind_at(starts_at: datetime, booked_at: datetime, zone: tzinfo) -> datetime | None:
    """A day before, by day: what would be at night is the evening before it. None: it was booked later than that."""
    at = (starts_at - REMIND_BEFORE).astimezone(zone)
    if at.time() < MORNING:
        remind = instant_of(at.date() - timedelta(days=1), EVENING, zone)
    elif at.time() > EVENING:
        remind = instant_of(at.date(), EVENING, zone)
    else:
        remind = starts_at - REMIND_BEFORE
    return remind if remind > booked_at else None


def answer_by(now: datetime, starts_at: datetime, zone: tzinfo) -> datetime | None:
    """Until when a freed slot is kept for somebody. At night the two hours begin in the morning.

    None: it begins so soon that nobody could answer in peace.
    """
    there = now.astimezone(zone)
    begin = now
    if there.time() >= EVENING:
        begin = instant_of(there.date() + timedelta(days=1), MORNING, zone)
    elif there.time() < MORNING:
        begin = instant_of(there.date(), MORNING, zone)
    end = min(begin + ANSWER_WITHIN, starts_at - LEAST_BEFORE)
    return end if end - begin >= LEAST_TO_ANSWER else None
