"""One case through its life, as data: what each event does to its owner, its lease, its deadlines and its silence.

Pure. Whoever changes a case (a reading, a person, a deadline) takes the case as it is, gets it as it will be, and
writes that with a case event in one transaction. ``next_at`` is always the time of the change: the escalation looks at
the case at once and decides what follows. What may follow what is ``alerting.lifecycle``'s table.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from alerting.lifecycle import CLOSED, OWNED, WAITING, Event, State, after
from alerting.tiers import Terms, Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A case's columns that events change. Times are aware.

    It has an owner exactly while somebody works on it, and when a person closed it; ``next_at`` is None exactly when it
    is closed. ``round`` counts how often people had to be told of it anew: raised, worsened, left by its owner.
    """

    state: State
    tier: Tier
    raised_at: datetime
    deadline: datetime
    contact_by: datetime | None
    next_at: datetime | None
    round: int = 1
    step: int = 0
    escalated_to: str | None = None
    owner: UUID | None = None
    lease_until: datetime | None = None
    offered_to: UUID | None = None
    contacted_at: datetime | None = None
    silenced_until: datetime | None = None
    silenced_by: UUID | None = None
    silenced_why: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    @property
    def is_waiting(self) -> bool:
        """Nobody works on it: its deadline counts."""
        return self.state in WAITING

    @property
    def is_owned(self) -> bool:
        return self.state in OWNED

    def is_lapsed(self, at: datetime) -> bool:
        """Its owner has done nothing for too long: it is nobody's, whether or not that is written down yet."""
        return self.is_owned and (self.lease_until is None or self.lease_until <= at)

    def is_silent(self, at: datetime) -> bool:
        """Nobody is paged for it."""
        return self.silenced_until is not None and at < self.silenced_until


def raised(tier: Tier, at: datetime, terms: Terms) -> Life:
    """A new case."""
    return Life(
        state=State.RAISED,
        tier=tier,
        raised_at=at,
        deadline=at + terms.acknowledge_within,
        contact_by=at + terms.contact_within,
        next_at=at,
    )


def joined(life: Life, at: datetime) -> Life:
    """A further finding, none graver: nothing changes but that somebody looks at it."""
    return replace(life, state=after(life.state, Event.JOIN), next_at=at)


def worsened(life: Life, tier: Tier, at: datetime, terms: Terms) -> Life:
    """Of a graver tier, or with symptoms: everybody is told anew, whoever has it, and whoever silenced it."""
    state = after(life.state, Event.WORSEN)
    again = _next_round(unsilenced(life), state, at, terms)
    return replace(again, tier=tier, contact_by=at + terms.contact_within, contacted_at=None)


def acknowledged(life: Life, by: UUID, at: datetime, lease: timedelta) -> Life:
    """Taken on by a person. A case whose lease has run out is to be ``lapsed`` first."""
    state = after(life.state, Event.ACKNOWLEDGE)
    return replace(life, state=state, owner=by, lease_until=at + lease, offered_to=None, next_at=at)


def started(life: Life, at: datetime, lease: timedelta) -> Life:
    """Its owner has begun."""
    return replace(life, state=after(life.state, Event.START), lease_until=at + lease, next_at=at)


def handed_over(life: Life, to: UUID, at: datetime, lease: timedelta) -> Life:
    """Offered; its owner keeps it until the other one acknowledges it."""
    state = after(life.state, Event.HAND_OVER)
    return replace(life, state=state, offered_to=to, lease_until=at + lease, next_at=at)


def withdrawn(life: Life, at: datetime, lease: timedelta) -> Life:
    """The offer is taken back."""
    state = after(life.state, Event.WITHDRAW)
    return replace(life, state=state, offered_to=None, lease_until=at + lease, next_at=at)


def lapsed(life: Life, at: datetime, terms: Terms) -> Life:
    """The lease ran out: raised again, for everybody."""
    again = _next_round(life, after(life.state, Event.LAPSE), at, terms)
    return replace(again, contact_by=at + terms.contact_within)


def escalated(life: Life, to: str, at: datetime, terms: Terms) -> Life:
    """By a person, to ``doctor`` or ``lead_nurse``: it is nobody's until somebody takes it, and they are told now.

    What was promised to the patient stays promised.
    """
    state = after(life.state, Event.ESCALATE)
    return replace(_next_round(unsilenced(life), state, at, terms), escalated_to=to)


def contacted(life: Life, at: datetime, lease: timedelta) -> Life:
    """Somebody spoke with the patient."""
    state = after(life.state, Event.CONTACT)
    return replace(_renewed(life, at, lease), state=state, contacted_at=at, next_at=at)


def asked(life: Life, at: datetime, lease: timedelta) -> Life:
    """Somebody asked for red flags, and there was none. Who asks has spoken with the patient."""
    state = after(life.state, Event.ASK)
    return replace(_renewed(life, at, lease), state=state, contacted_at=at, next_at=at)


def silenced(life: Life, by: UUID, why: str, until: datetime, at: datetime) -> Life:
    """Nobody is paged until then, unless it worsens. ``alerting.acts`` says who may, and for how long."""
    state = after(life.state, Event.SILENCE)
    return replace(life, state=state, silenced_by=by, silenced_why=why, silenced_until=until, next_at=at)


def silence_ended(life: Life, at: datetime) -> Life:
    """Before its time."""
    return replace(unsilenced(life), state=after(life.state, Event.END_SILENCE), next_at=at)


def silence_ran_out(life: Life, at: datetime, terms: Terms) -> Life:
    """At its time: raised again, for everybody; a case that somebody works on only loses its silence."""
    state = after(life.state, Event.END_SILENCE)
    if life.is_owned:
        return replace(unsilenced(life), state=state, next_at=at)
    return replace(_next_round(unsilenced(life), state, at, terms), contact_by=at + terms.contact_within)


def resolved(life: Life) -> Life:
    """Closed by its owner, whose it remains."""
    return _closed(life, after(life.state, Event.RESOLVE))


def closed_automatically(life: Life) -> Life:
    """Closed by nobody."""
    return replace(_closed(life, after(life.state, Event.CLOSE_AUTOMATICALLY)), owner=None)


def unsilenced(life: Life) -> Life:
    """Without its silence."""
    return replace(life, silenced_until=None, silenced_by=None, silenced_why=None)


def _closed(life: Life, state: State) -> Life:
    return replace(unsilenced(life), state=state, lease_until=None, offered_to=None, next_at=None)


def _renewed(life: Life, at: datetime, lease: timedelta) -> Life:
    """Whatever its owner does renews the lease, and so does what somebody else does for them."""
    return replace(life, lease_until=at + lease) if life.is_owned else life


def _next_round(life: Life, state: State, at: datetime, terms: Terms) -> Life:
    return replace(
        life,
        state=state,
        round=life.round + 1,
        step=0,
        raised_at=at,
        deadline=at + terms.acknowledge_within,
        owner=None,
        lease_until=None,
        offered_to=None,
        escalated_to=life.escalated_to if state is State.ESCALATED else None,
        next_at=at,
    )
