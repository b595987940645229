"""How each step of the way in stands, worked out from what is there. Pure.

A step is never taken back by deletion: what is entered later speaks. A device that was given back, or a doctor who left
the care team, opens its step again.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cloud.admission import forms
from cloud.admission.models import (
    Checklist,
    Effect,
    EligibilityForm,
    Entry,
    Facts,
    Missing,
    Step,
    StepState,
    TestReading,
)
from cloud.auth.models import NURSING, Role
from cloud.consent.models import Decision
from cloud.participation.models import Participation
from device_drivers.readings import QuantityState

_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


def stand(takes_part: Participation | None, facts: Facts, programme_id: str) -> dict[Step, StepState]:
    """How each step stands, in their order. Pure."""
    since = takes_part.begun_at if takes_part else _BEGINNING
    lists = [forms.checklists()[kind] for kind in facts.kinds]
    return {
        state.step: state
        for state in (
            _eligibility(facts, forms.form_of(programme_id)),
            _consent(facts, since),
            _plan(facts),
            _care_team(facts),
            _card(facts),
            _devices(facts),
            _training(facts, lists),
            readings(facts, lists),
        )
    }


def _eligibility(facts: Facts, form: EligibilityForm) -> StepState:
    filled = facts.entries.get((Step.ELIGIBILITY, ""))
    if filled is None or filled.detail.get("form") != form.form_id:
        return StepState(step=Step.ELIGIBILITY, missing=(Missing(code="not_filled_in"),))
    effect, decision = effect_of(filled), facts.entries.get(("decision", ""))
    last, code = filled, ""
    if effect is Effect.EXCLUDES:
        code = "excluded"
    elif effect is Effect.ASKS_DOCTOR:
        # A decision is about the answers that the doctor saw.
        if decision is None or decision.entry_id < filled.entry_id:
            code = "doctor_decides"
        else:
            last, code = decision, "" if decision.is_done else "doctor_refused"
    missing = (Missing(code=code),) if code else ()
    return StepState(step=Step.ELIGIBILITY, missing=missing, by=last.entered_by, at=last.entered_at)


def effect_of(filled: Entry | None) -> Effect:
    """What the answers of the form lead to; nothing where it was not filled in."""
    return Effect(filled.detail["effect"]) if filled else Effect.NONE


def _consent(facts: Facts, since: datetime) -> StepState:
    newest = facts.consent
    if newest is None or newest.entered_at < since:
        return StepState(step=Step.CONSENT, missing=(Missing(code="no_consent"),))
    missing = () if newest.decision == Decision.GIVEN else (Missing(code=f"consent_{newest.decision}"),)
    return StepState(step=Step.CONSENT, missing=missing, by=newest.entered_by, at=newest.entered_at)


def _plan(facts: Facts) -> StepState:
    if not facts.slots:
        return StepState(step=Step.PLAN, missing=(Missing(code="no_plan"),))
    newest = max(facts.slots, key=lambda slot: slot.since)
    return StepState(step=Step.PLAN, missing=(), by=newest.set_by, at=newest.since)


def _care_team(facts: Facts) -> StepState:
    roles = {Role(member.role) for member in facts.team}
    missing = [Missing(code="no_nurse")] if not roles & NURSING else []
    missing += [Missing(code="no_doctor")] if Role.DOCTOR not in roles else []
    at = max((member.since for member in facts.team), default=None)
    return StepState(step=Step.CARE_TEAM, missing=missing, at=at)


def _card(facts: Facts) -> StepState:
    if facts.card is None:
        return StepState(step=Step.CARD, missing=(Missing(code="no_card"),))
    return StepState(step=Step.CARD, missing=(), by=facts.card.set_by, at=facts.card.set_at)


def _devices(facts: Facts) -> StepState:
    if not facts.devices:
        return StepState(step=Step.DEVICES, missing=(Missing(code="no_device"),))
    return StepState(step=Step.DEVICES, missing=(), at=facts.devices[-1].since)


def _training(facts: Facts, lists: Sequence[Checklist]) -> StepState:
    if not lists:
        return StepState(step=Step.TRAINING, missing=(Missing(code="plan_first"),))
    ticks = [facts.entries.get((Step.TRAINING, one.key(item))) for one in lists for item in one.items]
    done = [tick for tick in ticks if tick is not None and tick.is_done]
    missing = []
    for one in lists:
        lacking = sum(not is_taught(facts, one.key(item)) for item in one.items)
        if lacking:
            missing.append(Missing(code="not_taught", kind=one.kind, number=lacking))
    last = max(done, key=lambda tick: tick.entry_id, default=None)
    return StepState(
        step=Step.TRAINING, missing=missing, by=last.entered_by if last else None, at=last.entered_at if last else None
    )


def is_taught(facts: Facts, key: str) -> bool:
    """Whether somebody ticked this point of a checklist, and nobody took it back."""
    tick = facts.entries.get((Step.TRAINING, key))
    return tick is not None and tick.is_done


def readings(facts: Facts, lists: Sequence[Checklist]) -> StepState:
    """Whether the test readings that the checklists ask for arrived, and somebody confirmed them."""
    if not lists:
        return StepState(step=Step.READINGS, missing=(Missing(code="plan_first"),))
    seen, missing = confirmed(facts), []
    for one in lists:
        arrived = [reading for reading in facts.readings if reading.kind == one.kind and is_measured(reading)]
        if len(arrived) < one.readings:
            missing.append(Missing(code="not_arrived", kind=one.kind, number=one.readings - len(arrived)))
        elif sum(reading.reading_id in seen for reading in arrived) < one.readings:
            missing.append(Missing(code="not_confirmed", kind=one.kind))
    entry = facts.entries.get((Step.READINGS, ""))
    return StepState(
        step=Step.READINGS,
        missing=missing,
        by=entry.entered_by if entry else None,
        at=entry.entered_at if entry else None,
    )


def is_measured(reading: TestReading) -> bool:
    """HI and LO have come through as well as a number has; a failed measurement shows nothing."""
    return reading.state in (QuantityState.MEASURED, QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE)


def confirmed(facts: Facts) -> frozenset[UUID]:
    """The readings of which somebody said that they are what the display showed."""
    entry = facts.entries.get((Step.READINGS, ""))
    return frozenset(UUID(one) for one in entry.detail["readings"]) if entry and entry.is_done else frozenset()
