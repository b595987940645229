"""Segments, strata and tags: each change and each look at people with its audit row, which never has what was typed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from cloud.audit import store as audit
from cloud.auth.models import Session
from cloud.console.spoken import Spoken, spoken_in
from cloud.crm.followups.templates import all_plans
from cloud.crm.groups import service as groups
from cloud.crm.groups import store as events
from cloud.crm.segments import entries, store
from cloud.crm.segments.models import (
    MOST_EXPORTED,
    MOST_INVITED,
    MOST_OWN,
    MOST_TAGS,
    SHOWN,
    Choices,
    Condition,
    Counted,
    Member,
    Occasion,
    Place,
    Segment,
    Standing,
    Strata,
    Stratum,
    Tag,
)
from cloud.crm.segments.saying import Saying
from cloud.crm.spreadsheets import csv_of
from cloud.language.languages import LANGUAGES
from cloud.plans import fields
from cloud.plans.fields import Form, Refusal, Refused

Connection = AsyncConnection[Any]

# So many segments are counted in one look: each condition is a column, of which the database has 1,664 in a row.
AT_ONCE: Final = 100

COLUMNS = ("patient_id", "name", "born", "language", "programme", "why")


async def choices(conn: Connection, session: Session) -> Choices:
    """What there is to choose from: programmes, follow-up plans, colleagues, languages, tags."""
    return Choices(
        of={
            "programme": await store.programmes(conn),
            "plan": [(one.plan_id, one.title) for one in all_plans()],
            "carer": await store.colleagues(conn, session.account_id),
            "language": [(code, facts.name) for code, facts in LANGUAGES.items()],
            "tag": [(tag, tag) for tag in await store.known_tags(conn)],
        }
    )


async def saying(conn: Connection, session: Session, zone: str = "UTC") -> Saying:
    """What conditions say to whoever is signed in."""
    return Saying(_spoken(session), await choices(conn, session), zone)


async def listed(conn: Connection, session: Session, now: datetime) -> tuple[list[Segment], Strata, Counted]:
    """The segments, the set of strata, and how many each segment and each place of the set finds."""
    await audit.record_reading_on(
        conn, at=now, account_id=session.account_id, action="segment_list.read", subject="segment_list:own"
    )
    found, strata = await store.segments(conn, session.account_id), await store.strata(conn)
    places = [place.segment.conditions for place in strata.places]
    asked = [one.conditions for one in found]
    counted = await store.count(conn, session.account_id, asked[:AT_ONCE], now, places)
    for first in range(AT_ONCE, len(asked), AT_ONCE):
        more = await store.count(conn, session.account_id, asked[first : first + AT_ONCE], now)
        counted = replace(counted, many=[*counted.many, *more.many])
    return found, strata, counted


async def versions(conn: Connection, session: Session, segment_id: UUID) -> list[Segment]:
    """The newest first; empty: none that this account may see."""
    return await store.versions(conn, session.account_id, segment_id)


async def people(
    conn: Connection, session: Session, of: Segment, now: datetime, page: int
) -> tuple[Counted, list[Member]]:
    """How many it finds, and one page of them by name."""
    await audit.record_by(conn, session, now, "segment.read", f"segment:{of.segment_id}")
    counted = await store.count(conn, session.account_id, [of.conditions], now)
    return counted, await store.members(conn, session.account_id, of.conditions, now, SHOWN, (page - 1) * SHOWN)


async def occasions(conn: Connection, now: datetime) -> list[Occasion]:
    """To what the people of a segment can be invited: lectures and activities to come, and groups that go on."""
    to_come = [one for one in await events.events(conn, now) if one.standing(now) == "to_come"]
    going_on = [one for one in await events.groups(conn) if one.closed_at is None]
    return [
        *(Occasion(code=f"events/{one.event_id}", name=one.title, starts_at=one.starts_at) for one in to_come),
        *(Occasion(code=f"groups/{one.group_id}", name=one.name) for one in going_on),
    ]


async def invite(conn: Connection, session: Session, of: Segment, form: Form, now: datetime) -> str:
    """All whom it finds now, and nobody twice, whatever they said. Where it leads. Refused."""
    chosen = next((one for one in await occasions(conn, now) if one.code == form.get("to", "")), None)
    if chosen is None:
        raise Refused("invite", {"to": Refusal("choose")}, form)
    found = await store.patients_of(conn, session.account_id, of.conditions, now)
    if len(found) > MOST_INVITED:
        raise Refused("invite", {"to": Refusal("too_many_people", {"most": str(MOST_INVITED)})}, form)
    kind, _, key = chosen.code.partition("/")
    event = await events.event(conn, UUID(key)) if kind == "events" else None
    if event is not None:
        made = await groups.invite_all(conn, session, event, found, now)
    else:
        made = await groups.ask_all_to_join(conn, session, UUID(key), found, now)
    await audit.record_by(
        conn, session, now, "segment.invite", f"segment:{of.segment_id}", None,
        {"to": chosen.code, "people": made, "version": of.version},
    )  # fmt: skip
    return f"/{chosen.code}"


async def exported(conn: Connection, session: Session, of: Segment, now: datetime) -> str:
    """The people as CSV. Each of them finds in their own record that they were on such a list."""
    told = await saying(conn, session)
    found = await store.members(conn, session.account_id, of.conditions, now, MOST_EXPORTED)
    await audit.record_by(
        conn, session, now, "segment.export", f"segment:{of.segment_id}", None,
        {"rows": len(found), "version": of.version},
    )  # fmt: skip
    await audit.record_for_each(
        conn, session, now, "segment.exported", f"segment:{of.segment_id}", [one.patient_id for one in found]
    )
    return await asyncio.to_thread(lambda: csv_of(COLUMNS, [_row(one, of, told) for one in found]))


def why(one: Member, of: Segment, told: Saying) -> str:
    """What of somebody answers each condition."""
    return "; ".join(told.held(condition, found) for condition, found in zip(of.conditions, one.found, strict=True))


async def preview(conn: Connection, session: Session, form: Form, now: datetime) -> Counted:
    """How many the conditions of a form would find now. Refused."""
    wanted = entries.conditions(form, await choices(conn, session))
    return await store.count(conn, session.account_id, [wanted], now)


async def save(conn: Connection, session: Session, form: Form, now: datetime) -> UUID:
    """A new segment, or the next version of one's own where the form names one. Refused."""
    wanted = entries.segment(form, await choices(conn, session))
    known = fields.id_of(form.get("segment_id", ""))
    if known is None:
        if await store.own_segments(conn, session.account_id) >= MOST_OWN:
            raise Refused("segment", {"name": Refusal("too_many", {"most": str(MOST_OWN)})}, form)
        segment_id = await store.add(conn, wanted, session.account_id, now)
    else:
        segment_id = known
        seen = form.get("version", "")
        number = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0
        if not await store.change(conn, segment_id, number, wanted, session.account_id, now):
            raise Refused("segment", {"name": Refusal("changed_since")}, form)
    await audit.record_by(conn, session, now, "segment.write", f"segment:{segment_id}")
    return segment_id


async def retire(conn: Connection, session: Session, segment_id: UUID, now: datetime) -> bool:
    """It is offered no more. False: there is no such segment of one's own."""
    if not await store.retire(conn, segment_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "segment.retire", f"segment:{segment_id}")
    return True


# Strata --------------------------------------------------------------------------------------------------------------


async def set_strata(conn: Connection, session: Session, form: Form, now: datetime) -> None:
    """The next set, as a proposal. Refused."""
    chosen = entries.strata(form)
    # What only its author may see would be a stratum that nobody else understands.
    shared = {one.segment_id: one for one in await store.segments(conn, session.account_id) if one.shared}
    for place in (await store.strata(conn)).places:
        shared.setdefault(place.segment.segment_id, place.segment)
    if any(segment_id not in shared for _, segment_id in chosen):
        raise Refused("strata", {"segment_0": Refusal("choose")}, form)
    set_no = await store.add_strata(
        conn,
        [(stratum, segment_id, shared[segment_id].version) for stratum, segment_id in chosen],
        session.account_id,
        now,
    )
    await audit.record_by(conn, session, now, "strata.write", f"strata:{set_no}")


async def stratum(
    conn: Connection, session: Session, of: Stratum, now: datetime, page: int
) -> tuple[Strata, Counted, int, list[tuple[Place, Member]]]:
    """The set in force, how many there are, how many of this stratum, and one page of them: by place, then by name."""
    await audit.record_by(conn, session, now, "stratum.read", f"stratum:{of}")
    strata = await store.strata(conn)
    lists = [place.segment.conditions for place in strata.places]
    places = [n for n, place in enumerate(strata.places) if place.stratum is of]
    counted = await store.count(conn, session.account_id, [], now, lists)
    after = (page - 1) * SHOWN
    found = await store.first_found(conn, session.account_id, lists, places, now, SHOWN, after) if places else []
    many = sum(counted.firsts[n] for n in places)
    return strata, counted, many, [(strata.places[n], member) for n, member in found]


async def sign_strata(conn: Connection, session: Session, set_no: int, now: datetime) -> bool:
    """False: another is in force, it is signed, or it is one's own."""
    if not await store.sign(conn, set_no, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "strata.sign", f"strata:{set_no}")
    return True


async def standing(conn: Connection, session: Session, patient_id: UUID, now: datetime) -> Standing | None:
    """In which stratum a patient is; None: in none, or nobody watches. The caller has checked who asks."""
    strata = await store.strata(conn)
    lists = [place.segment.conditions for place in strata.places]
    found = await store.first_match(conn, session.account_id, patient_id, lists, now)
    if found is None:
        return None
    return Standing(place=strata.places[found[0]], found=found[1], signed=strata.signed_at is not None)


async def reason(conn: Connection, session: Session, of: Standing, zone: str) -> str:
    """Why somebody is where they are: ``2 cases in 30 days, urgent or graver``."""
    told = await saying(conn, session, zone)
    conditions: Sequence[Condition] = of.place.segment.conditions
    return "; ".join(told.held(one, found) for one, found in zip(conditions, of.found, strict=True))


# Tags ----------------------------------------------------------------------------------------------------------------


async def tags(conn: Connection, patient_id: UUID) -> list[Tag]:
    """The caller has checked who asks."""
    return await store.tags(conn, patient_id)


async def add_tag(conn: Connection, session: Session, patient_id: UUID, form: Form, now: datetime) -> None:
    """Refused; a tag that is there already stays as it is."""
    tag = entries.tag(form)
    if len(await store.tags(conn, patient_id)) >= MOST_TAGS:
        raise Refused("tag", {"tag": Refusal("too_many", {"most": str(MOST_TAGS)})}, form)
    tag_id = await store.add_tag(conn, patient_id, tag, session.account_id, now)
    if tag_id is not None:
        await audit.record_by(conn, session, now, "patient_tag.add", f"patient_tag:{tag_id}", patient_id)


async def remove_tag(conn: Connection, session: Session, patient_id: UUID, tag_id: UUID, now: datetime) -> bool:
    """False: there is no such tag."""
    if not await store.remove_tag(conn, patient_id, tag_id, session.account_id, now):
        return False
    await audit.record_by(conn, session, now, "patient_tag.remove", f"patient_tag:{tag_id}", patient_id)
    return True


def _row(one: Member, of: Segment, told: Saying) -> tuple[object, ...]:
    return (
        str(one.patient_id), one.display_name, one.birth_date, one.language, one.programme, why(one, of, told),
    )  # fmt: skip


def _spoken(session: Session) -> Spoken:
    return spoken_in(session.language, session.units)
