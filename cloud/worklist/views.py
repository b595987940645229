"""Cases as HTML: the same rows in the page, in the answer to a click and in the live stream; and a case's own page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.acts import silences
from alerting.dispositions import MEANINGS
from alerting.limits import Measure
from alerting.reasons import RedFlag
from alerting.red_flags import flags_in, measures_of, questions_about
from alerting.sentences import red_flag_name
from alerting.tiers import Tier
from cloud.auth.models import Session
from cloud.console.pages import fragment
from cloud.console.spoken import Spoken, spoken_in
from cloud.worklist.models import Alert, Case, Change, Colleague, Given, Show
from device_drivers.readings import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A change as the history shows it."""

    at: datetime
    actor_name: str | None
    event: str
    lines: Sequence[str]


def rows(cases: Iterable[Case], session: Session, now: datetime) -> str:
    """The worklist's rows as HTML, without what surrounds them."""
    return "".join(row(case, session, now) for case in cases)


def row(case: Case, session: Session, now: datetime, notice: str | None = None, *, listed: bool = True) -> str:
    """One case as HTML: an ``li`` with id ``case-{case_id}``; ``data-open="false"``: it does not belong to the list."""
    return fragment("case_row.html", case=case, session=session, now=now, notice=notice, listed=listed)


def belongs(case: Case, show: Show | None) -> bool:
    """Whether an open case stands in that worklist; None: on the patient's page, where all of them do."""
    if show is None:
        return True
    if case.training:
        return show is Show.TRAINING
    return show is (Show.RETROSPECT if case.tier is Tier.RETROSPECTIVE else Show.OPEN)


def of_case(
    case: Case,
    session: Session,
    now: datetime,
    *,
    alerts: Sequence[Alert],
    history: Iterable[Change],
    colleagues: Sequence[Colleague],
    given: Given,
    notice: str | None,
) -> dict[str, Any]:
    """What the page of a case shows."""
    spoken = spoken_in(session.language, session.units)
    asked = questions_about(case.condition, case.why)
    return {
        "case": case,
        "now": now,
        "notice": notice,
        "given": given,
        "mine": case.is_owned and case.owner == session.account_id,
        "silent": case.is_silent(now),
        "alerts": alerts,
        "history": entries(history, session, case.time_zone),
        "colleagues": colleagues,
        "questions": [(flag, red_flag_name(flag, spoken.words)) for flag in asked],
        "known": flags_in(case.why),
        "dispositions": MEANINGS,
        "silences": silences(case.tier),
        "chart_kind": chart_kind(case),
    }


def chart_kind(case: Case) -> str | None:
    """The chart that shows what the case is about; None: all of them, as nobody can tell."""
    if case.why is None:
        return None
    measures = measures_of(case.why)
    if measures & {Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE}:
        return Kind.BLOOD_PRESSURE.value
    return (Kind.GLUCOSE if Measure.GLUCOSE in measures else Kind.KETONE).value


def entries(history: Iterable[Change], session: Session, zone: str) -> list[Entry]:
    """What happened to a case, in the reader's words, by the clock of its patient."""
    spoken = spoken_in(session.language, session.units)
    return [_entry(change, spoken, zone) for change in history]


def _entry(change: Change, spoken: Spoken, zone: str) -> Entry:
    return Entry(
        at=change.at,
        actor_name=change.actor_name,
        event=change.event,
        lines=tuple(_lines(change, spoken, zone)),
    )


def _lines(change: Change, spoken: Spoken, zone: str) -> Iterable[str]:
    """What else is known of the change, in words."""
    data = change.data
    if to := data.get("to"):
        yield change.to_name or spoken.word(str(to), spoken.ESCALATED_TO)
    if why := data.get("why"):
        yield spoken.word(str(why), spoken.CASE_WHYS)
    if role := data.get("role"):
        yield spoken.word(str(role), spoken.ESCALATED_TO)
    if tier := data.get("tier"):
        yield spoken.word(str(tier), spoken.TIERS)
    if disposition := data.get("disposition"):
        yield spoken.word(str(disposition), spoken.DISPOSITIONS)
    if flags := data.get("flags"):
        known = [RedFlag(flag) for flag in flags if flag in set(RedFlag)]
        yield ", ".join(red_flag_name(flag, spoken.words) for flag in known)
    if until := data.get("until"):
        yield f"→ {spoken.local(datetime.fromisoformat(str(until)), zone)}"
    for key in ("reason", "note"):
        if text := data.get(key):
            yield str(text)
