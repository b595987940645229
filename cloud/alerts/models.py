"""A case as the findings of one transaction leave it, and how they do it: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from uuid import UUID

from alerting import life
from alerting.life import Life
from alerting.lifecycle import Event, State
from alerting.pipeline import Finding
from alerting.reasons import UnfamiliarReason
from alerting.sentences import sentence
from alerting.tiers import Terms, Tier, graver
from cloud.alerts.reasons import to_json
from cloud.observations.models import Observation

Key = tuple[UUID, str]


@dataclass(frozen=True, kw_only=True)
class PatientFinding:
    """A finding about one patient. ``reading_id`` is None where more than one reading stands behind it.

    ``terms`` are those of the patient's programme. ``closes_as`` names the class as which it closes by itself where no
    case of its condition is open: then nobody is asked to look at it. One that ``rests`` waits for the rest of its
    condition after a person dealt with it; another is a new episode, and does not. ``again_after``: what goes on
    being so joins its open case after so long, and what tells of something new (None) each time.
    """

    patient_id: UUID
    finding: Finding
    terms: Mapping[Tier, Terms]
    reading_id: str | None = None
    closes_as: str | None = None
    rests: bool = True
    again_after: timedelta | None = None

    @property
    def key(self) -> Key:
        """What may have one open case."""
        return self.patient_id, self.finding.condition

    @property
    def tier(self) -> Tier:
        return self.finding.tier

    @cached_property
    def sentence(self) -> str:
        """What stands in the case, in English; whoever reads it in another language has ``reason``."""
        return sentence(self.finding.reason)

    @cached_property
    def reason(self) -> Mapping[str, object]:
        """The reason as JSON values."""
        return to_json(self.finding.reason)

    @property
    def own_terms(self) -> Terms:
        return self.terms[self.finding.tier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """An observation of which somebody has to say first whether it is the patient's, and why."""

    observation: Observation
    doubt: UnfamiliarReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open case, as far as findings change it. ``spoken_at``: of the finding whose sentence it has."""

    case_id: UUID
    life: Life
    spoken_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """One change of a case by one finding."""

    event: str
    from_state: State | None
    to_state: State
    cause: PatientFinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """A case after a run of findings, the events on the way, and the one that now says most (None: none of these)."""

    case: Case
    events: tuple[CaseEvent, ...]
    speaks: PatientFinding | None
    closed_as: str | None = None

    @property
    def wakes(self) -> bool:
        """Whether the escalation must look at it."""
        return self.case.life.is_open and any(
            event.event != Event.JOIN or event.cause.tier is not Tier.RETROSPECTIVE for event in self.events
        )

    @property
    def findings(self) -> list[PatientFinding]:
        """Those that came in, each once."""
        return [event.cause for event in self.events if event.event != Event.CLOSE_AUTOMATICALLY]


def opened(case_id: UUID, first: PatientFinding, at: datetime) -> Episode:
    """A new case, raised by its first finding."""
    case = Case(case_id=case_id, life=life.raised(first.tier, at, first.own_terms), spoken_at=first.finding.at)
    event = CaseEvent(event="raise", from_state=None, to_state=case.life.state, cause=first)
    return Episode(case=case, events=(event,), speaks=first)


def closed_at_once(case_id: UUID, finding: PatientFinding, at: datetime) -> Episode:
    """A case that nobody has to look at: written down as raised, and as closed by the programme's word."""
    made = opened(case_id, finding, at)
    closed = life.closed_automatically(made.case.life)
    event = CaseEvent(
        event=Event.CLOSE_AUTOMATICALLY, from_state=made.case.life.state, to_state=closed.state, cause=finding
    )
    return Episode(
        case=Case(case_id=case_id, life=closed, spoken_at=made.case.spoken_at),
        events=(*made.events, event),
        speaks=finding,
        closed_as=finding.closes_as,
    )


def continued(episode: Episode, findings: Iterable[PatientFinding], at: datetime) -> Episode:
    """Later findings join the case; one of a graver tier raises it again with its own promises."""
    for finding in findings:
        episode = _joined(episode, finding, at)
    return episode


def _joined(episode: Episode, found: PatientFinding, at: datetime) -> Episode:
    case = episode.case
    was = case.life
    worse = found.tier is not was.tier and graver(was.tier, found.tier) is found.tier
    if not worse and found.again_after is not None and found.finding.at < case.spoken_at + found.again_after:
        return episode
    if worse:
        now = life.worsened(was, found.tier, at, found.own_terms)
    else:
        # Nothing follows for anybody from what joins in retrospect: a late month wakes nobody a hundred times.
        now = was if found.tier is Tier.RETROSPECTIVE else life.joined(was, at)
    # The case says what the latest finding of its gravest tier says.
    says_more = worse or (found.tier is was.tier and found.finding.at >= case.spoken_at)
    event = CaseEvent(
        event=Event.WORSEN if worse else Event.JOIN, from_state=was.state, to_state=now.state, cause=found
    )
    return Episode(
        case=Case(case_id=case.case_id, life=now, spoken_at=found.finding.at if says_more else case.spoken_at),
        events=(*episode.events, event),
        speaks=found if says_more else episode.speaks,
    )
