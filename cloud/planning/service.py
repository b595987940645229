"""The plan of a patient: what holds now, what became of each version of a limit, and each change with its audit row."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from alerting.regimes import Regime, RegimeLimit
from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.planning import entries, store
from cloud.planning.models import (
    LimitForm,
    LimitVersion,
    Membership,
    Patient,
    Plan,
    SpokenVersion,
)
from cloud.plans import rules
from cloud.plans.fields import Refusal, Refused
from cloud.plans.rules import ProgrammeRow

Connection = AsyncConnection[Any]
Form = Mapping[str, str]

# A schedule of more is a slip of the keyboard; a meter that is asked for each hour has 24.
MOST_SLOTS: Final = 60


async def patient(conn: Connection, session: Session, patient_id: UUID) -> Patient | None:
    """The patient, if in the account's care."""
    return await store.patient(conn, session.account_id, patient_id)


async def plan(conn: Connection, of: Patient, now: datetime) -> Plan:
    """What holds for the patient now; the caller has checked who asks."""
    programmes = await store.programmes(conn)
    membership = await store.membership(conn, of.patient_id, now)
    programme = _programme(programmes, membership)
    versions = await store.limit_versions(conn, of.patient_id)
    newest = [version.row() for version in versions if version.superseded_at is None]
    held = rules.own(programme, newest, membership.heightened_until, now)
    return Plan(
        patient=of,
        programme=programme,
        programmes=[one for one in programmes if rules.may_follow(membership.programme_id, one.programme_id)],
        membership=membership,
        is_heightened=held.heightened_until is not None,
        limits=own_first(held.limits),
        versions=spoken(versions, rules.regime(programme.regimes), now),
        slots=await store.slots(conn, of.patient_id, now),
        pauses=await store.pauses(conn, of.patient_id, now),
    )


async def limits_in_force(conn: Connection, patient_id: UUID, now: datetime) -> tuple[RegimeLimit, ...]:
    """The limits of the patient's programme, with the doctor's own in their place; the caller has checked who asks."""
    membership = await store.membership(conn, patient_id, now)
    programme = _programme(await store.programmes(conn), membership)
    newest = [one.row() for one in await store.limit_versions(conn, patient_id) if one.superseded_at is None]
    return rules.own(programme, newest, membership.heightened_until, now).limits


async def limits_between(
    conn: Connection, patient_id: UUID, since: datetime, until: datetime
) -> list[tuple[datetime, datetime, tuple[RegimeLimit, ...]]]:
    """What was in force when: spans that follow each other from ``since`` to ``until``; the caller has checked.

    An earlier time is judged by what was set then, not by what is known now.
    """
    versions = await store.limit_versions(conn, patient_id)
    memberships = await store.memberships(conn, patient_id)
    programmes = await store.programmes(conn)
    moments = {moment for one in versions for moment in (one.set_at, one.superseded_at, one.expires_at) if moment}
    moments |= {one.since for one in memberships if one.since}
    edges = [since, *sorted(moment for moment in moments if since < moment < until), until]
    found: list[tuple[datetime, datetime, tuple[RegimeLimit, ...]]] = []
    for begins, ends in pairwise(edges):
        limits = _limits_at(versions, memberships, programmes, begins)
        if found and found[-1][2] == limits:
            begins = found.pop()[0]
        found.append((begins, ends, limits))
    return found


def _limits_at(
    versions: Iterable[LimitVersion],
    memberships: Iterable[Membership],
    programmes: Iterable[ProgrammeRow],
    at: datetime,
) -> tuple[RegimeLimit, ...]:
    membership = next(
        (one for one in memberships if one.since and one.since <= at), Membership(programme_id=rules.STANDARD)
    )
    spoke = [
        one.row() for one in versions if one.set_at <= at and (one.superseded_at is None or one.superseded_at > at)
    ]
    return rules.own(_programme(programmes, membership), spoke, None, at).limits


def own_first(limits: Sequence[RegimeLimit]) -> tuple[RegimeLimit, ...]:
    """Of each condition the doctor's limits before what stays of the programme's in other units."""
    place = {condition: n for n, condition in enumerate(dict.fromkeys(limit.condition for limit in limits))}
    return tuple(sorted(limits, key=lambda limit: (place[limit.condition], limit.version is None)))


def limit_form(shown: Plan, condition: str) -> LimitForm | None:
    """The form of one limit; None where the programme has no such limit."""
    of = tuple(limit for limit in shown.limits if limit.condition == condition)
    if not of:
        return None
    own = [one.version for one in shown.versions if one.version.condition == condition and one.standing == "in_force"]
    return LimitForm(
        condition=condition,
        units=[unit.value for limit in of for unit in limit.values],
        shown=of,
        own=own,
    )


def spoken(versions: Iterable[LimitVersion], of: Regime, now: datetime) -> list[SpokenVersion]:
    """Each version with what has become of it."""
    versions = list(versions)
    known = {(limit.condition, unit.value) for limit in of.limits for unit in limit.values}
    by_number = {(one.condition, one.unit, one.version): one for one in versions}
    return [
        SpokenVersion(
            version=one,
            standing=_standing(one, by_number.get((one.condition, one.unit, one.version + 1)), known, now),
        )
        for one in versions
    ]


def _standing(one: LimitVersion, following: LimitVersion | None, known: set[tuple[str, str]], now: datetime) -> str:
    if one.withdraws:
        return "withdrawal"
    ended = one.superseded_at or now
    if one.expires_at is not None and one.expires_at <= ended:
        return "expired"
    if one.superseded_at is not None:
        return "withdrawn" if following is not None and following.withdraws else "replaced"
    return "in_force" if (one.condition, one.unit) in known else "not_applied"


async def set_limit(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """A doctor's limit, with a reason, and an end if wanted. Refused where it cannot be taken."""
    regime = rules.regime(_programme(await store.programmes(conn), await _membership(conn, of, now)).regimes)
    entry = entries.limit(form, regime, of.zone, now)
    limit_id = await store.set_limit(
        conn,
        patient_id=of.patient_id,
        condition=entry.condition,
        unit=entry.unit.value,
        value=entry.value,
        priority=entry.priority.value,
        reason=entry.reason,
        set_by=session.account_id,
        at=now,
        expires_at=entry.expires_at,
    )
    detail = {"condition": entry.condition, "unit": entry.unit.value}
    await audit.record_by(conn, session, now, "alarm_limit.set", f"alarm_limit:{limit_id}", of.patient_id, detail)


async def withdraw_limit(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """A version that ends the doctor's limit: the default holds again. Refused where there is none, or no reason."""
    reason = entries.reason(form, "withdraw")
    former = next(
        (
            one
            for one in await store.limit_versions(conn, of.patient_id)
            if one.superseded_at is None
            and (one.condition, one.unit) == (form.get("condition"), form.get("unit"))
            and (one.expires_at is None or one.expires_at > now)
        ),
        None,
    )
    if former is None:
        raise Refused("withdraw", {"unit": Refusal("nothing_to_withdraw")}, form)
    limit_id = await store.set_limit(
        conn,
        patient_id=of.patient_id,
        condition=former.condition,
        unit=former.unit,
        value=former.value,
        priority=former.priority,
        reason=reason,
        set_by=session.account_id,
        at=now,
        expires_at=now,
    )
    detail = {"condition": former.condition, "unit": former.unit, "former": str(former.limit_id)}
    await audit.record_by(conn, session, now, "alarm_limit.withdraw", f"alarm_limit:{limit_id}", of.patient_id, detail)


async def change_programme(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The patient joins this programme now, and is watched closely for its first period."""
    known = {programme.programme_id: programme for programme in await store.programmes(conn)}
    chosen = known.get(form.get("programme_id", ""))
    was = await _membership(conn, of, now)
    if chosen is None or not rules.may_follow(was.programme_id, chosen.programme_id):
        raise Refused("programme", {"programme_id": Refusal("choose")}, form)
    reason = entries.reason(form, "programme")
    await store.join(
        conn,
        patient_id=of.patient_id,
        programme_id=chosen.programme_id,
        heightened_until=now + chosen.heightened_for,
        set_by=session.account_id,
        at=now,
        reason=reason,
    )
    detail = {"programme_id": chosen.programme_id}
    await audit.record_by(
        conn, session, now, "patient_programme.change", f"patient:{of.patient_id}", of.patient_id, detail
    )


async def change_heightened(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Watch the patient closely until the end of a day, or no longer."""
    until, reason = entries.heightened(form, of.zone, now)
    membership = await _membership(conn, of, now)
    await store.join(
        conn,
        patient_id=of.patient_id,
        programme_id=membership.programme_id,
        heightened_until=until,
        set_by=session.account_id,
        at=now,
        reason=reason,
    )
    detail = {"until": until.isoformat() if until else None}
    await audit.record_by(
        conn, session, now, "patient_programme.heightened", f"patient:{of.patient_id}", of.patient_id, detail
    )


async def add_slot(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """The patient measures at one more time. Refused where that time is in the schedule already."""
    entry = entries.slot(form)
    there = await store.slots(conn, of.patient_id, now)
    twice = (s for s in there if (s.kind, s.at) == (entry.kind.value, entry.at) and set(s.weekdays) & {*entry.weekdays})
    if any(twice):
        raise Refused("slot", {"at": Refusal("there_already")}, form)
    if len(there) >= MOST_SLOTS:
        raise Refused("slot", {"at": Refusal("too_many", {"most": str(MOST_SLOTS)})}, form)
    slot_id = await store.add_slot(conn, of.patient_id, entry, session.account_id, now)
    detail = {"kind": entry.kind.value}
    await audit.record_by(
        conn, session, now, "measurement_slot.add", f"measurement_slot:{slot_id}", of.patient_id, detail
    )


async def end_slot(conn: Connection, session: Session, of: Patient, slot_id: UUID, now: datetime) -> bool:
    """The patient measures at that time no more. False: there is no such time."""
    if not await store.end_slot(conn, of.patient_id, slot_id, now):
        return False
    await audit.record_by(conn, session, now, "measurement_slot.end", f"measurement_slot:{slot_id}", of.patient_id)
    return True


async def add_pause(conn: Connection, session: Session, of: Patient, form: Form, now: datetime) -> None:
    """Nothing is expected of the patient meanwhile."""
    entry = entries.pause(form, of.zone, now)
    pause_id = await store.add_pause(conn, of.patient_id, entry, session.account_id)
    await audit.record_by(conn, session, now, "measurement_pause.add", f"measurement_pause:{pause_id}", of.patient_id)


async def end_pause(conn: Connection, session: Session, of: Patient, pause_id: UUID, now: datetime) -> bool:
    """The pause is over. False: there is no such pause."""
    if not await store.end_pause(conn, of.patient_id, pause_id, now):
        return False
    await audit.record_by(conn, session, now, "measurement_pause.end", f"measurement_pause:{pause_id}", of.patient_id)
    return True


async def record_reading(conn: Connection, session: Session, of: Patient, now: datetime) -> None:
    """Somebody read the plan."""
    await audit.record_by(conn, session, now, "plan.read", f"patient:{of.patient_id}", of.patient_id)


async def _membership(conn: Connection, of: Patient, now: datetime) -> Membership:
    return await store.membership(conn, of.patient_id, now)


def _programme(programmes: Iterable[ProgrammeRow], membership: Membership) -> ProgrammeRow:
    return next(one for one in programmes if one.programme_id == membership.programme_id)
