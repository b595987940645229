"""An irregular pulse over readings and days: a reason to record an ECG, never a diagnosis.

Source: Watanabe 2021 (2 irregular of 3 readings: sensitivity 1.0, specificity 0.97 in a selected group). In ordinary
practice fewer than half of such patients have atrial fibrillation (58 of 137, WatchBP Home A), and moving during the
measurement makes a pulse look irregular; hence readings with that flag do not count, and two days are asked for. That,
and how long the days may lie apart, is a proposal.

What it needs: the patient's readings of the last 30 days, with the cuff's two flags.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from alerting.reasons import RhythmReason
from alerting.regimes import Evidence, Source
from alerting.sessions import session_places
from alerting.windows import PressureWindow, days, instant


@dataclass(frozen=True, slots=True, kw_only=True)
class RhythmRule:
    """A session counts from ``irregular`` irregular readings on, if they are ``irregular`` of each ``of``."""

    irregular: int
    of: int
    needed_days: int
    within: timedelta
    source: Source


IRREGULAR_PULSE = RhythmRule(
    irregular=2, of=3, needed_days=2, within=timedelta(days=30),
    source=Source(text="Watanabe 2021, 2 of 3 readings; on 2 days within 30 (proposal)", evidence=Evidence.PROPOSED),
)  # fmt: skip


def irregular_pulse(window: PressureWindow, at: datetime, rule: RhythmRule = IRREGULAR_PULSE) -> RhythmReason | None:
    """Whether enough sessions on enough days were irregular, up to and with ``at``."""
    rows = window.rows((window.times > instant(at) - np.timedelta64(rule.within)) & (window.times <= instant(at)))
    if int((rows.irregular & ~rows.moved).sum()) < rule.irregular * rule.needed_days:
        return None
    on: list[date] = []
    for places in session_places(rows):
        session = rows.rows(places)
        if session_is_irregular(session, rule):
            on.append(days(session.local)[0].item())
    if len(set(on)) < rule.needed_days:
        return None
    return RhythmReason(
        sessions=len(on),
        on_days=tuple(sorted(set(on))),
        needed_days=rule.needed_days,
        within=rule.within,
        source=rule.source,
    )


def session_is_irregular(session: PressureWindow, rule: RhythmRule = IRREGULAR_PULSE) -> bool:
    """Two of two are enough: a third reading could not make it less than two of three."""
    still = ~session.moved
    irregular = int((session.irregular & still).sum())
    return irregular >= rule.irregular and irregular * rule.of >= rule.irregular * int(still.sum())
