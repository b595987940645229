"""The way in: how each step stands, what is entered, activation, and the end. Each change has its audit row.

A step is never taken back by deletion: what is entered later speaks. What holds is worked out anew each time from
what is there, so a device that was given back, or a doctor who left the care team, opens its step again.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.limits import Measure
from alerting.pipeline import on_reading
from alerting.reasons import Reason
from alerting.regimes import RegimeLimit
from alerting.sentences import sentence
from alerting.tiers import Tier, graver
from cloud.admission import entries, forms, store
from cloud.admission.models import (
    Beyond,
    Checklist,
    Effect,
    EligibilityForm,
    Entry,
    Facts,
    Judged,
    Leaving,
    Missing,
    OnTheWay,
    Patient,
    Pause,
    Step,
    StepState,
    Template,
    TestReading,
    Way,
)
from cloud.alerts.reasons import to_json
from cloud.audit import store as audit
from cloud.auth.models import NURSING, Role, Session
from cloud.consent import documents
from cloud.consent import service as consent
from cloud.consent.models import Decision, Method
from cloud.consent.models import Entry as ConsentEntry
from cloud.participation import service as participation
from cloud.participation import store as participations
from cloud.participation.models import Participation, Stage
from cloud.planning import entries as planned
from cloud.planning import service as planning
from cloud.planning import store as plans
from cloud.plans import rules
from cloud.plans.fields import Form, Refusal, Refused
from device_drivers.nomenclature import Unit
from device_drivers.readings import Kind, Quantity, QuantityState

Connection = AsyncConnection[Any]

SHOWN: Final = 100
# Nothing of a test reading is so late that it would not be said.
_NEVER_LATE: Final = timedelta(days=365)
_WARNED: Final = frozenset({Tier.EMERGENCY, Tier.URGENT})
_MEASURES: Final[Mapping[str, Sequence[Measure]]] = {
    Kind.GLUCOSE.value: (Measure.GLUCOSE,),
    Kind.KETONE.value: (Measure.KETONE,),
    Kind.BLOOD_PRESSURE.value: (Measure.SYSTOLIC, Measure.DIASTOLIC, Measure.PULSE),
}
_BEGINNING: Final = datetime.min.replace(tzinfo=UTC)


async def patient(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id, now)


# How it stands -------------------------------------------------------------------------------------------------------


async def on_the_way(conn: Connection, session: Session, now: datetime) -> list[OnTheWay]:
    """Who is on the way, at which step, and what is missing: the oldest first."""
    patients = await store.on_the_way(conn, session.account_id, now)
    ids = [one.patient_id for one in patients]
    known, takes_part = await store.facts(conn, ids, now), await participations.newest(conn, ids)
    limits = {row.programme_id: rules.regime(row.regimes).limits for row in await plans.programmes(conn)}
    return [
        OnTheWay(
            patient=one,
            takes_part=takes_part[one.patient_id],
            steps=list(stand(takes_part[one.patient_id], known[one.patient_id], one.programme_id).values()),
            # The programme's own limits: whoever opens the page sees it by those in force.
            warns=warns(judged(known[one.patient_id], limits[one.programme_id])),
        )
        for one in patients
    ]


async def leaving(conn: Connection, session: Session, now: datetime) -> list[Leaving]:
    """Whose participation has ended, and what is left to do: the oldest first."""
    patients = await store.leaving(conn, session.account_id, now)
    ids = [one.patient_id for one in patients]
    takes_part = await participations.newest(conn, ids)
    left = await store.left(conn, ids)
    return [
        Leaving(
            patient=one,
            takes_part=takes_part[one.patient_id],
            missing=_before_closing(takes_part[one.patient_id], left.get(one.patient_id, {})),
        )
        for one in patients
    ]


async def way(conn: Connection, of: Patient, now: datetime, template_id: str = "") -> Way:
    """The whole page of one patient; the caller has checked who asks."""
    facts = (await store.facts(conn, [of.patient_id], now))[of.patient_id]
    takes_part = await participation.of_patient(conn, of.patient_id)
    form = forms.form_of(of.programme_id)
    limits = await planning.limits_in_force(conn, of.patient_id, now)
    readings = judged(facts, limits)
    templates = forms.for_programme(forms.templates(), of.programme_id)
    filled = facts.entries.get((Step.ELIGIBILITY, ""))
    programme = await _programme(conn, of)
    to_close = await _to_close(conn, takes_part) if takes_part else ()
    return Way(
        patient=of,
        takes_part=takes_part,
        facts=facts,
        steps={step.value: state for step, state in stand(takes_part, facts, of.programme_id).items()},
        form=form,
        answered=filled.detail.get("answers", {}) if filled else {},
        effect=_effect(filled),
        text=documents.newest(of.language),
        templates=templates,
        preview=_template(templates, template_id),
        checklists=[forms.checklists()[kind] for kind in facts.kinds],
        readings=readings,
        asked=await store.may_be_asked(conn, of.patient_id),
        decisions=await consent.history(conn, of.patient_id),
        history=await store.history(conn, of.patient_id, SHOWN),
        pauses=[
            Pause(pause_id=pause.pause_id, since=pause.since, until=pause.until, reason=pause.reason)
            for pause in await plans.pauses(conn, of.patient_id, now)
        ],
        to_close=to_close,
        heightened_for=programme.heightened_for,
        limits=len(limits),
        warns=warns(readings),
    )


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
            _readings(facts, lists),
        )
    }


def _eligibility(facts: Facts, form: EligibilityForm) -> StepState:
    filled = facts.entries.get((Step.ELIGIBILITY, ""))
    if filled is None or filled.detail.get("form") != form.form_id:
        return StepState(step=Step.ELIGIBILITY, missing=(Missing(code="not_filled_in"),))
    effect, decision = _effect(filled), facts.entries.get(("decision", ""))
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


def _effect(filled: Entry | None) -> Effect:
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


def _readings(facts: Facts, lists: Sequence[Checklist]) -> StepState:
    if not lists:
        return StepState(step=Step.READINGS, missing=(Missing(code="plan_first"),))
    confirmed, missing = _confirmed(facts), []
    for one in lists:
        arrived = [reading for reading in facts.readings if reading.kind == one.kind and _is_measured(reading)]
        if len(arrived) < one.readings:
            missing.append(Missing(code="not_arrived", kind=one.kind, number=one.readings - len(arrived)))
        elif sum(reading.reading_id in confirmed for reading in arrived) < one.readings:
            missing.append(Missing(code="not_confirmed", kind=one.kind))
    entry = facts.entries.get((Step.READINGS, ""))
    return StepState(
        step=Step.READINGS,
        missing=missing,
        by=entry.entered_by if entry else None,
        at=entry.entered_at if entry else None,
    )


def _is_measured(reading: TestReading) -> bool:
    """HI and LO have come through as well as a number has; a failed measurement shows nothing."""
    return reading.state in (QuantityState.MEASURED, QuantityState.ABOVE_RANGE, QuantityState.BELOW_RANGE)


def _confirmed(facts: Facts) -> frozenset[UUID]:
    entry = facts.entries.get((Step.READINGS, ""))
    return frozenset(UUID(one) for one in entry.detail["readings"]) if entry and entry.is_done else frozenset()


def judged(facts: Facts, limits: Iterable[RegimeLimit]) -> list[Judged]:
    """The test readings with the gravest limit that each is beyond: shown to whoever takes the patient in. Pure.

    No case follows from it: nobody watches yet, and a first measurement is often one of somebody who learns.
    """
    limits, confirmed = tuple(limits), _confirmed(facts)
    return [
        Judged(reading=one, beyond=_beyond(one, limits), confirmed=one.reading_id in confirmed)
        for one in facts.readings
    ]


def warns(readings: Iterable[Judged]) -> bool:
    """Whether one is beyond a limit that calls somebody at once, later."""
    return any(one.beyond is not None and one.beyond.tier in _WARNED for one in readings)


def _beyond(reading: TestReading, limits: Iterable[RegimeLimit]) -> Beyond | None:
    units = {Measure.PULSE: Unit.PER_MIN}
    figures = {
        measure: Quantity(value, units.get(measure, Unit(reading.unit)))
        if value is not None
        else Quantity(None, Unit(reading.unit), QuantityState(reading.state), bound=reading.bound)
        for measure, value in zip(_MEASURES[reading.kind], reading.values, strict=True)
        if value is not None or reading.state != QuantityState.MEASURED
    }
    said = on_reading(figures, limits, reading.effective_time, reading.effective_time, _NEVER_LATE)
    found: list[tuple[Tier, str, Reason]] = [(one.tier, one.condition, one.reason) for one in said.findings]
    found += [(one.limit.tier, one.limit.condition, one.first) for one in said.timers]
    if not found:
        return None
    gravest = found[0]
    for one in found[1:]:
        if graver(gravest[0], one[0]) is not gravest[0]:
            gravest = one
    tier, condition, reason = gravest
    return Beyond(tier=tier.value, condition=condition, sentence=sentence(reason), reason=to_json(reason))


async def _to_close(conn: Connection, takes_part: Participation) -> Sequence[Missing]:
    left = await store.left(conn, [takes_part.patient_id])
    return _before_closing(takes_part, left.get(takes_part.patient_id, {}))


def _before_closing(takes_part: Participation, left: Mapping[str, int]) -> Sequence[Missing]:
    missing = [Missing(code="notice")] if takes_part.seen_at is None else []
    return missing + [Missing(code=code, number=number) for code, number in left.items()]


# What is entered -----------------------------------------------------------------------------------------------------


async def take_in(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """A new patient in one's care, or one who has come back. Refused where somebody is here already, and says so."""
    programmes = {row.programme_id for row in await plans.programmes(conn)} - {rules.TRAINING}
    person = entries.person(form, programmes, now.date())
    name, born, mrn = person.display_name, person.birth_date, person.mrn
    fits = await participations.fitting(conn, name, born, mrn)
    await audit.record(
        conn, at=now, account_id=session.account_id, action="patient.look_for", subject="patient_list:all"
    )
    patient_id: UUID | None = None
    if person.is_back:
        patient_id = await participations.take_back(conn, name=name, born=born, mrn=mrn, at=now)
        if patient_id is None:
            raise Refused("person", {"who": Refusal("nobody_back")}, form)
    elif (by_number := next((one for one in fits if one[0] == "mrn"), None)) is not None:
        raise Refused("person", {"mrn": Refusal("number_taken", {"own": str(by_number[1] or "")})}, form)
    elif fits and not person.is_other:
        raise Refused("person", {"who": Refusal("here_already", {"own": str(fits[0][1] or "")})}, form)
    else:
        patient_id = await participations.take_in(
            conn, name=name, born=born, zone=person.time_zone, language=person.language, mrn=mrn, at=now
        )
        if patient_id is None:  # somebody else was faster with this number
            raise Refused("person", {"mrn": Refusal("number_taken", {"own": ""})}, form)
    await plans.join(
        conn,
        patient_id=patient_id,
        programme_id=person.programme_id,
        heightened_until=None,
        set_by=session.account_id,
        at=now,
        reason="",
    )
    action = "patient.take_back" if person.is_back else "patient.take_in"
    await _audit(conn, session, patient_id, now, action, f"patient:{patient_id}")
    return patient_id


async def fill_in(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The eligibility form of the patient's programme. Refused where a question has no answer."""
    asked = forms.form_of(of.programme_id)
    answered = entries.answers(form, asked)
    effect = entries.effect_of(asked, answered)
    detail = {"form": asked.form_id, "version": asked.version, "answers": answered, "effect": effect.value}
    await _enter(conn, session, of, now, Step.ELIGIBILITY, detail=detail)


async def decide(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """A doctor says whether somebody of whom the form asks that can take part. Refused without a reason."""
    if form.get("decision") not in ("yes", "no"):
        raise Refused("decision", {"decision": Refusal("choose")}, form)
    reason = planned.reason(form, "decision")
    await _enter(conn, session, of, now, "decision", done=form["decision"] == "yes", note=reason)


async def enter_consent(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """What the patient decided on paper. Withdrawn ends everything at once. Refused where it has ended already."""
    decision, signed_on, note = entries.consent(form, entries.today_in(now, of.time_zone))
    takes_part = await participation.of_patient(conn, of.patient_id)
    has_ended = takes_part is not None and takes_part.stage in (Stage.ENDED, Stage.CLOSED)
    if decision is Decision.WITHDRAWN:
        has_ended = has_ended or not await consent.withdraw(conn, session, of.patient_id, note, now)
    elif not has_ended:
        text = documents.newest(of.language)
        entry = ConsentEntry(text=text, decision=decision, method=Method.PAPER, signed_on=signed_on, note=note)
        await consent.enter(conn, session, of.patient_id, entry, now)
    if has_ended:
        raise Refused("consent", {"decision": Refusal("has_ended")}, form)


async def set_plan(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The measurement times of a template, in the place of whatever there was."""
    template = _template(forms.for_programme(forms.templates(), of.programme_id), form.get("template", ""))
    if template is None:
        raise Refused("plan", {"template": Refusal("choose")}, form)
    detail = {"template": template.template_id, "version": template.version}
    await _enter(conn, session, of, now, Step.PLAN, detail=detail)
    for slot in await plans.slots(conn, of.patient_id, now):
        await plans.end_slot(conn, of.patient_id, slot.slot_id, now)
    for entry in template.slots:
        await plans.add_slot(conn, of.patient_id, entry, session.account_id, now)


async def join_team(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """One more in the care team, who sees everything of the patient from now on."""
    account_id = _uuid(form.get("account_id", ""))
    if account_id is None or not await store.join_team(conn, of.patient_id, account_id):
        raise Refused("team", {"account_id": Refusal("choose")}, form)
    await _audit(conn, session, of.patient_id, now, "care_team.add", f"account:{account_id}")


async def leave_team(conn: Connection, session: Session, of: Patient, account_id: UUID, now: datetime) -> None:
    """One less. Refused where nobody would be left: a patient without a care team is seen by nobody."""
    await participations.lock(conn, of.patient_id)
    team = (await store.facts(conn, [of.patient_id], now))[of.patient_id].team
    if account_id not in {member.account_id for member in team}:
        raise Refused("team", {"account_id": Refusal("choose")}, {})
    if len(team) < 2:
        raise Refused("team", {"account_id": Refusal("last_of_team")}, {})
    await _audit(conn, session, of.patient_id, now, "care_team.end", f"account:{account_id}")
    await store.leave_team(conn, of.patient_id, account_id)


async def teach(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Points of a checklist that are taught, each ticked by whoever taught it; and those that are not, after all.

    ``kind`` names the list, ``item_…`` what is ticked. What did not change is not entered again.
    """
    checklist = forms.checklists().get(form.get("kind", ""))
    if checklist is None:
        raise Refused("training", {"kind": Refusal("choose")}, form)
    facts = (await store.facts(conn, [of.patient_id], now))[of.patient_id]
    for item in checklist.items:
        key, wanted = checklist.key(item), bool(form.get(f"item_{item.item_id}"))
        if wanted != is_taught(facts, key):
            await _enter(conn, session, of, now, Step.TRAINING, item=key, done=wanted)


async def confirm_readings(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Somebody has seen that what the patient measured arrived as the display showed it; or takes that back.

    Refused where something of the plan has not arrived yet.
    """
    if form.get("seen") == "no":
        await _enter(conn, session, of, now, Step.READINGS, done=False, detail={"readings": []})
        return
    facts = (await store.facts(conn, [of.patient_id], now))[of.patient_id]
    lacking = _readings(facts, [forms.checklists()[kind] for kind in facts.kinds]).missing
    if any(one.code != "not_confirmed" for one in lacking):
        raise Refused("readings", {"seen": Refusal("nothing_to_confirm")}, form)
    arrived = [str(one.reading_id) for one in facts.readings if one.kind in facts.kinds and _is_measured(one)]
    await _enter(conn, session, of, now, Step.READINGS, detail={"readings": arrived})


async def activate(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """From now on somebody watches, closely at first. Refused while a step does not hold: its words say which."""
    await participations.lock(conn, of.patient_id)
    takes_part = await participation.of_patient(conn, of.patient_id)
    facts = (await store.facts(conn, [of.patient_id], now))[of.patient_id]
    if any(state.missing for state in stand(takes_part, facts, of.programme_id).values()):
        raise Refused("activate", {"steps": Refusal("steps_missing")}, form)
    if takes_part is None or not await participations.activate(conn, of.patient_id, session.account_id, now):
        raise Refused("activate", {"steps": Refusal("not_on_the_way")}, form)
    heightened_until = now + (await _programme(conn, of)).heightened_for
    await plans.join(
        conn,
        patient_id=of.patient_id,
        programme_id=of.programme_id,
        heightened_until=heightened_until,
        set_by=session.account_id,
        at=now,
        reason="",
    )
    detail = {"heightened_until": heightened_until.isoformat()}
    await participation.record(
        conn, session, of.patient_id, now, "participation.activate", takes_part.participation_id, detail
    )


async def pause(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Nothing is expected meanwhile; what arrives is judged as ever."""
    found = await planning.patient(conn, session, of.patient_id)
    if found is not None:
        await planning.add_pause(conn, session, found, form, now)


async def end_pause(conn: Connection, session: Session, of: Patient, pause_id: UUID, now: datetime) -> bool:
    """The pause is over. False: there is no such pause."""
    found = await planning.patient(conn, session, of.patient_id)
    return found is not None and await planning.end_pause(conn, session, found, pause_id, now)


async def end(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Nobody watches any longer. Refused without a reason, and where it has ended already."""
    why, note = entries.end(form)
    if not await participation.end(conn, session, of.patient_id, why, note, now):
        raise Refused("end", {"why": Refusal("has_ended")}, form)


async def close(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The care team sees the record no more. Refused while something is left to do."""
    await participations.lock(conn, of.patient_id)
    takes_part = await participation.of_patient(conn, of.patient_id)
    if takes_part is None or takes_part.stage is not Stage.ENDED or await _to_close(conn, takes_part):
        raise Refused("close", {"sure": Refusal("something_left")}, form)
    await participation.record(
        conn, session, of.patient_id, now, "participation.close", takes_part.participation_id, {}
    )
    await participations.close(conn, of.patient_id, session.account_id, now)


async def begin_again(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """On the way again: every step is taken anew. Refused where nothing has ended."""
    await participations.lock(conn, of.patient_id)
    if not await participations.begin_again(conn, of.patient_id, session.account_id, now):
        raise Refused("again", {"sure": Refusal("not_ended")}, form)
    await _audit(conn, session, of.patient_id, now, "participation.again", f"patient:{of.patient_id}")


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody looked at how far a patient is."""
    await _audit(conn, session, of.patient_id, now, "enrolment.read", f"patient:{of.patient_id}")


async def _enter(
    conn: Connection,
    session: Session,
    of: Patient,
    now: datetime,
    step: str,
    *,
    item: str = "",
    done: bool = True,
    detail: Mapping[str, object] | None = None,
    note: str = "",
) -> None:
    takes_part = await participation.of_patient(conn, of.patient_id)
    if takes_part is None or takes_part.stage is not Stage.ON_THE_WAY:
        raise Refused("activate", {"steps": Refusal("not_on_the_way")}, {})
    entry_id = await store.add(
        conn,
        participation_id=takes_part.participation_id,
        patient_id=of.patient_id,
        step=str(step),
        item=item,
        outcome="done" if done else "undone",
        detail=detail or {},
        note=note,
        by=session.account_id,
        at=now,
    )
    await _audit(conn, session, of.patient_id, now, f"admission.{step}", f"admission_entry:{entry_id}")


async def _programme(conn: Connection, of: Patient) -> rules.ProgrammeRow:
    return next(row for row in await plans.programmes(conn) if row.programme_id == of.programme_id)


def _template(found: Iterable[Template], template_id: str) -> Template | None:
    return next((one for one in found if one.template_id == template_id), None)


async def _audit(
    conn: Connection, session: Session, patient_id: UUID, now: datetime, action: str, subject: str
) -> None:
    await audit.record(
        conn, at=now, account_id=session.account_id, action=action, subject=subject, patient_id=patient_id
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
