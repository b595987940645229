"""What can be asked, what is asked, and the result as people compare it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.closing import CLASSES
from alerting.limits import Relation
from alerting.proposals import Change, ProposalRefused, changed, regime_of
from alerting.regimes import REGIMES, Regime, RegimeLimit
from alerting.replay import MINUTES
from alerting.tiers import Tier
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.plans import rules
from cloud.plans.fields import number
from cloud.plans.rules import ProgrammeRow
from cloud.what_if import store
from cloud.what_if.models import SPANS, Found, Proposal, Run, Subject, Totals
from device_drivers.nomenclature import Unit

Connection = AsyncConnection[Any]
Form = Mapping[str, str]

# Limits that one form changes; enough to see what two do together.
CHANGES: Final = 3
# Nobody waits for more at a time, and nobody's runs keep others waiting.
MOST_UNFINISHED: Final = 3


class Refused(Exception):
    """What was typed cannot be tried: a code for each field, and what was typed, to be mended."""

    def __init__(self, refusals: Mapping[str, str], typed: Form) -> None:
        super().__init__(", ".join(refusals))
        self.refusals = refusals
        self.typed = typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A limit that can be changed: its value now, in one unit. ``key`` is its name in the form."""

    condition: str
    unit: Unit
    relation: Relation
    value: Decimal

    @property
    def key(self) -> str:
        """``hypoglycaemia_level_1 mg/dL``."""
        return f"{self.condition} {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What the form is about: a programme, or a patient in it; with what holds now."""

    programme: ProgrammeRow
    programmes: Sequence[ProgrammeRow]
    subject: Subject | None
    choices: Sequence[Choice]
    regimes: Sequence[Sequence[str]]  # those that exclude each other, the programme's own first
    closing: Sequence[str] = tuple(sorted(CLASSES))
    spans: Sequence[int] = SPANS
    typed: Form = field(default_factory=dict)
    rows: int = CHANGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure beside the other: per day of the panel, with what it was made of. ``unit``: which words follow."""

    name: str
    unit: str
    now: Decimal
    then: Decimal
    n_now: int
    n_then: int
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An urgent case that would have gone otherwise, of a patient whom the reader may see."""

    found: Found
    subject: Subject
    case_id: UUID | None


async def asking(
    conn: Connection, session: Session, now: datetime, *, programme_id: str, patient_id: UUID | None, typed: Form
) -> Asking | None:
    """None where there is no such programme, or no such patient in this person's care."""
    found = {programme.programme_id: programme for programme in await store.programmes(conn)}
    subject = None
    if patient_id is not None:
        subject = await store.subject(conn, session.account_id, patient_id)
        if subject is None:
            return None
        programme_id = await store.programme_of(conn, patient_id, now)
    programme = found.get(programme_id or rules.STANDARD)
    if programme is None:
        return None
    limits: Iterable[RegimeLimit] = rules.regime(programme.regimes).limits
    if subject is not None:
        own = await store.own_limits(conn, subject.patient_id)
        limits = rules.own(programme, own, None, now).limits
    return Asking(
        programme=programme,
        programmes=list(found.values()),
        subject=subject,
        choices=_choices(limits),
        regimes=_alternatives(programme.regimes),
        typed=typed,
    )


async def ask(conn: Connection, session: Session, about: Asking, now: datetime) -> UUID:
    """A run of what was typed; gives its run_id. Refused."""
    typed = about.typed
    refusals: dict[str, str] = {}
    days = typed.get("days", "")
    if days not in map(str, SPANS):
        refusals["days"] = "choose"
    proposal = _proposal(about, typed, refusals)
    if not refusals and await store.unfinished(conn, session.account_id) >= MOST_UNFINISHED:
        refusals["form"] = "too_many"
    if refusals:
        raise Refused(refusals, typed)
    patient_id = about.subject.patient_id if about.subject else None
    run_id = await store.ask(
        conn,
        account_id=session.account_id,
        at=now,
        programme_id=None if patient_id else about.programme.programme_id,
        patient_id=patient_id,
        days=int(days),
        proposal=proposal,
    )
    await audit.record(
        conn,
        at=now,
        account_id=session.account_id,
        action="what_if.ask",
        subject=f"what_if_run:{run_id}",
        patient_id=patient_id,
    )
    return run_id


def compared(run: Run) -> Sequence[Line]:
    """The figures of both rule sets: per day of the panel so far."""
    now, then = run.result.in_force, run.result.proposed
    by_tier = [
        _line(f"tier.{tier}", "cases", now.by_tier.get(tier, 0), then.by_tier.get(tier, 0), run, is_part=True)
        for tier in Tier
        if tier in now.by_tier or tier in then.by_tier
    ]
    return (
        _line("cases", "cases", now.manual, then.manual, run),
        *by_tier,
        Line(
            name="per_patient",
            unit="cases",
            now=_per_patient(now),
            then=_per_patient(then),
            n_now=now.manual,
            n_then=then.manual,
        ),
        _line("minutes", "minutes", now.minutes, then.minutes, run),
        _line("pages", "pages", now.pages, then.pages, run),
        Line(
            name="automatic",
            unit="percent",
            now=_share(now),
            then=_share(then),
            n_now=now.automatic,
            n_then=then.automatic,
        ),
    )


async def differences(conn: Connection, session: Session, run: Run) -> tuple[Sequence[Shown], int]:
    """The urgent cases that would have gone otherwise, the worst first; and how many are of patients not to be seen."""
    found = run.result.found
    subjects = await store.subjects(conn, session.account_id, [one.patient_id for one in found])
    seen = [one for one in found if one.patient_id in subjects]
    cases = await store.cases_of(conn, seen)
    shown = [Shown(found=one, subject=subjects[one.patient_id], case_id=cases.get(one)) for one in seen]
    return shown, len(found) - len(seen)


def minutes_of_tiers() -> Mapping[Tier, int]:
    """What a case of each tier is taken to cost."""
    return MINUTES


def _choices(limits: Iterable[RegimeLimit]) -> Sequence[Choice]:
    return [
        Choice(condition=limit.condition, unit=unit, relation=limit.relation, value=value)
        for limit in limits
        for unit, value in limit.values.items()
    ]


def _alternatives(own: Sequence[str]) -> Sequence[Sequence[str]]:
    """For each regime of the programme: it, and the others of the same measures."""
    known = [REGIMES[name] for name in own if name in REGIMES]
    return [[one.name, *(other.name for other in REGIMES.values() if _excludes(one, other))] for one in known]


def _excludes(one: Regime, other: Regime) -> bool:
    return other is not one and bool(one.measures & other.measures)


def _proposal(about: Asking, typed: Form, refusals: dict[str, str]) -> Proposal:
    """What was typed, as data; what is wrong with it is added to ``refusals``."""
    changes = [change for n in range(CHANGES) if (change := _change(about, typed, n, refusals))]
    if about.subject is not None:
        if not changes and not refusals:
            refusals["form"] = "nothing"
        return Proposal(limits=tuple(changes))
    regimes = tuple(typed.get(f"regime_{n}", names[0]) for n, names in enumerate(about.regimes))
    closing = tuple(name for name in about.closing if typed.get(f"closing_{name}"))
    for n, names in enumerate(about.regimes):
        if regimes[n] not in names:
            refusals[f"regime_{n}"] = "choose"
    same_regimes = regimes == tuple(names[0] for names in about.regimes)
    same_closing = set(closing) == set(about.programme.automatic_closing)
    if not refusals and not changes and same_regimes and same_closing:
        refusals["form"] = "nothing"
    if not refusals and not same_regimes:
        try:
            changed(regime_of(regimes).limits, changes)
        except ProposalRefused:
            refusals["form"] = "other_regime"
    return Proposal(
        limits=tuple(changes),
        regimes=None if same_regimes else regimes,
        closing=None if same_closing else closing,
    )


def _change(about: Asking, typed: Form, n: int, refusals: dict[str, str]) -> Change | None:
    key, text = typed.get(f"limit_{n}", ""), typed.get(f"value_{n}", "")
    if not key and not text.strip():
        return None
    choice = next((choice for choice in about.choices if choice.key == key), None)
    value = number(text)
    if choice is None:
        refusals[f"limit_{n}"] = "choose"
    elif value is None:
        refusals[f"value_{n}"] = "no_number"
    else:
        return Change(condition=choice.condition, unit=choice.unit, value=value)
    return None


def _line(name: str, unit: str, now: int, then: int, run: Run, *, is_part: bool = False) -> Line:
    return Line(
        name=name, unit=unit, now=_a_day(now, run), then=_a_day(then, run), n_now=now, n_then=then, is_part=is_part
    )


def _a_day(count: int, run: Run) -> Decimal:
    """Per day of the span; small figures keep two digits."""
    a_day = Decimal(count) / run.days
    return a_day.quantize(Decimal("0.1") if a_day >= 10 else Decimal("0.01"))


def _per_patient(totals: Totals) -> Decimal:
    """Cases per patient and day: what a budget is held against."""
    ratio = Decimal(totals.manual) / totals.patient_days if totals.patient_days else Decimal(0)
    return ratio.quantize(Decimal("0.0001"))


def _share(totals: Totals) -> Decimal:
    decided = totals.automatic + totals.manual
    return (Decimal(100 * totals.automatic) / decided if decided else Decimal(0)).quantize(Decimal("0.1"))
