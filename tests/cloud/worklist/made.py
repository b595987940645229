"""Cases as the worklist's tests need them, without waiting for a reading that would open them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from alerting import life
from alerting.reasons import LimitReason
from alerting.sentences import sentence
from alerting.tiers import PRIORITY_OF, TERMS, Tier
from cloud.alerts.reasons import to_json
from device_drivers.nomenclature import Unit
from tests.alerting.made import limit, quantity
from tests.cloud.made import NOW, Ward

CONDITION = "severe_hypertension_systolic"


def reason_of(value: str = "190", unit: Unit = Unit.MM_HG, of: str = "esc2024", name: str = CONDITION) -> LimitReason:
    """Beyond a limit of a regime: that of severe hypertension."""
    return LimitReason(figure=quantity(value, unit), limit=limit(of, name))


def planted_case(
    ward: Ward,
    tier: Tier = Tier.URGENT,
    at: datetime = NOW,
    *,
    condition: str = CONDITION,
    patient_id: UUID | None = None,
    change: Callable[[life.Life], life.Life] = lambda raised: raised,
    closed_automatically: str | None = None,
    reason: LimitReason | None = None,
) -> UUID:
    """A case that one reading raised at that time, with its alert and its event."""
    case_id, patient_id = uuid4(), patient_id or ward.patient_id
    now = change(life.raised(tier, at, TERMS[tier]))
    reason = reason or reason_of()
    data, said = Jsonb(to_json(reason)), sentence(reason)
    ward.admin.execute(
        """INSERT INTO alert_case (case_id, patient_id, condition, priority, tier, state, sentence, reason, opened_at,
                                   raised_at, deadline, contact_by, changed_at, next_at, owner, lease_until, round,
                                   resolved_at, closed_automatically)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (case_id, patient_id, condition, PRIORITY_OF[tier], tier, now.state, said, data, at, now.raised_at,
         now.deadline, now.contact_by, at, now.next_at, now.owner, now.lease_until, now.round,
         None if now.is_open else at, closed_automatically),
    )  # fmt: skip
    ward.admin.execute(
        """INSERT INTO alert (case_id, patient_id, condition, priority, tier, reading_id, effective_time, reason,
                              sentence, raised_at)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        (case_id, patient_id, condition, PRIORITY_OF[tier], tier, uuid4(), at - timedelta(minutes=2), data, said, at),
    )
    ward.admin.execute(
        "INSERT INTO case_event (case_id, at, event, to_state) VALUES (%s, %s, 'raise', %s)", (case_id, at, now.state)
    )
    return case_id


def history_of(ward: Ward, case_id: UUID) -> list[tuple[str, str | None, str, UUID | None]]:
    """What happened to the case after it was opened: event, from, to, by whom."""
    return [
        (event, from_state, to_state, actor)
        for of, event, from_state, to_state, actor in ward.rows(
            "SELECT case_id, event, from_state, to_state, actor FROM case_event ORDER BY event_id"
        )
        if of == case_id and event != "raise"
    ]
