"""All SQL of what holds for patients: programmes, and their own alarm limits.

What people do on pages is ``cloud.planning`` and ``cloud.programmes``, with the same statements.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from alerting.limits import Priority
from alerting.regimes import REGIMES
from cloud.db.connect import Connection, one
from cloud.plans import rules
from cloud.plans.models import PatientRules
from cloud.plans.rules import LimitRow
from device_drivers.nomenclature import Unit

# Condition → the units in which some regime has it; a patient's own limit must name one of them.
UNITS_OF: Mapping[str, frozenset[Unit]] = {
    limit.condition: frozenset(limit.values) for regime in REGIMES.values() for limit in regime.limits
}


# Of a patient whom nobody watches: no reading is measured so late.
NOT_WATCHED: Final = datetime.max.replace(tzinfo=UTC)


class Held(NamedTuple):
    """``rules``: of every patient asked for. ``watched_from``: of those of them who take part by enrolment; what was
    measured before it says nothing clinical, and NOT_WATCHED stands for whoever is not activated, or has ended.
    """

    rules: Mapping[UUID, PatientRules]
    watched_from: Mapping[UUID, datetime]


class UnknownLimit(ValueError):
    """No regime has this condition in this unit, so nobody would ever look at it."""


def set_limit(
    connection: Connection,
    *,
    patient_id: UUID,
    condition: str,
    unit: Unit,
    value: Decimal,
    priority: Priority,
    reason: str,
    set_by: UUID,
    at: datetime,
    expires_at: datetime | None = None,
) -> UUID:
    """A patient's own limit, the next version in place of the former; gives its limit_id.

    UnknownLimit where no regime has this condition in this unit. ValueError without a reason.
    """
    if unit not in UNITS_OF.get(condition, ()):
        raise UnknownLimit(f"no regime has a limit {condition!r} in {unit}")
    if not reason.strip():
        raise ValueError("a limit needs a reason")
    parameters = {
        "patient_id": patient_id,
        "condition": condition,
        "unit": unit.value,
        "value": value,
        "priority": priority.value,
        "reason": reason.strip(),
        "set_by": set_by,
        "at": at,
        "expires_at": expires_at,
    }
    connection.execute(LOCK_LIMIT, parameters)
    connection.execute(SUPERSEDE_LIMIT, parameters)
    limit_id: UUID = one(connection.execute(INSERT_LIMIT, parameters).fetchone())[0]
    return limit_id


def rules_of(connection: Connection, patient_ids: Collection[UUID], at: datetime) -> Mapping[UUID, PatientRules]:
    """What holds for each of these patients at this time, whether or not anybody watches them."""
    return held_for(connection, patient_ids, at).rules


def held_for(connection: Connection, patient_ids: Collection[UUID], at: datetime) -> Held:
    """What holds for each of these patients at this time: programme, limits with the doctor's own, heightened period;
    and from when on what they measure counts.

    Every patient asked for is in the rules. Patients without anything of their own share one object by identity, so
    that what is worked out of it once serves them all: also from call to call, while nobody changes their programme.
    """
    # There are few, and they are read each time, so that none is ever stale.
    programmes = rules.by_id(connection.execute(PROGRAMMES))
    chosen: dict[UUID, tuple[str, datetime | None]] = {}
    limits: dict[UUID, list[LimitRow]] = {}
    watched: dict[UUID, datetime] = {}
    for patient_id, programme_id, heightened_until, takes_part, watched_from, *limit in connection.execute(
        _OF_PATIENTS, {"patient_ids": list(patient_ids), "at": at}
    ):
        chosen[patient_id] = programme_id or rules.STANDARD, heightened_until
        if takes_part is not None:
            watched[patient_id] = watched_from or NOT_WATCHED
        if limit[0] is not None:
            limits.setdefault(patient_id, []).append(LimitRow(*limit))
    standard = rules.shared(programmes[rules.STANDARD])
    return Held(
        {
            patient_id: rules.own(programmes[of[0]], limits.get(patient_id, ()), of[1], at)
            if (of := chosen.get(patient_id))
            else standard
            for patient_id in patient_ids
        },
        watched,
    )


PROGRAMMES = """
SELECT p.programme_id, p.display_name, p.regimes, p.late_after, p.heightened_for, p.automatic_closing, p.alert_budget,
       t.tier, t.acknowledge_within, t.contact_within, t.escalate_after, t.lease
FROM programme p LEFT JOIN programme_terms t USING (programme_id)
ORDER BY p.programme_id, t.tier
"""

# Those with anything of their own: a row for each limit, or one without.
_OF_PATIENTS = """
SELECT asked.patient_id, p.programme_id, p.heightened_until, w.is_newest, w.watched_from, l.limit_id, l.condition,
       l.unit, l.value, l.priority, l.reason, a.display_name, l.set_at, l.expires_at, l.version
FROM unnest(%(patient_ids)s::uuid[]) AS asked(patient_id)
LEFT JOIN patient_programme p ON p.patient_id = asked.patient_id AND p.valid @> %(at)s::timestamptz
LEFT JOIN participation w ON w.patient_id = asked.patient_id AND w.is_newest
LEFT JOIN (alarm_limit l JOIN account a ON a.account_id = l.set_by)
    ON l.patient_id = asked.patient_id AND l.superseded_at IS NULL
WHERE p.programme_id IS NOT NULL OR l.limit_id IS NOT NULL OR w.is_newest
ORDER BY asked.patient_id, l.condition, l.unit
"""

# Two doctors who set the same limit at once: one after the other, each a version.
LOCK_LIMIT = """
SELECT pg_advisory_xact_lock(hashtextextended('alarm_limit', 0)
                             # hashtextextended(%(patient_id)s::text || %(condition)s || %(unit)s, 0))
"""

SUPERSEDE_LIMIT = """
UPDATE alarm_limit SET superseded_at = %(at)s
WHERE patient_id = %(patient_id)s AND condition = %(condition)s AND unit = %(unit)s AND superseded_at IS NULL
"""

# A version that has ended as soon as it begins withdraws the limit: the default holds again, and no older version does.
INSERT_LIMIT = """
INSERT INTO alarm_limit (patient_id, condition, unit, value, priority, reason, set_by, set_at, expires_at, version)
SELECT %(patient_id)s, %(condition)s, %(unit)s, %(value)s, %(priority)s, %(reason)s, %(set_by)s, %(at)s, %(expires_at)s,
       coalesce(max(version), 0) + 1
FROM alarm_limit WHERE patient_id = %(patient_id)s AND condition = %(condition)s AND unit = %(unit)s
RETURNING limit_id
"""
