"""All SQL of writing technical alarms: what is open is made to be what is in force, by the difference alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from alerting.limits import Priority
from alerting.technical.conditions import Condition, Key
from alerting.technical.said import Said, to_json
from cloud.db.connect import Connection, as_rows

# Whoever judges the fleet holds it until the commit; another one leaves the turn to them.
JUDGING = 0x70_75_6C_73_65_6A


def only_one_judges(connection: Connection) -> bool:
    """Whether nobody else judges now; then nobody does until the transaction ends."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (JUDGING,)).fetchone()
    return bool(row and row[0])


def open_alarms(connection: Connection) -> Mapping[UUID, Condition]:
    """The alarms that are not resolved, by their id."""
    return {
        alarm_id: Condition(
            name=condition,
            subject=subject,
            priority=Priority(priority),
            sentence=sentence,
            reason=reason,
            gateway_id=gateway_id,
            device_name=device_name,
            device_id=device_id,
            inhibited_by=inhibited_by,
        )
        for (
            alarm_id,
            condition,
            subject,
            priority,
            sentence,
            reason,
            gateway_id,
            device_name,
            device_id,
            inhibited_by,
        ) in connection.execute(_OPEN)
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What has to be done to the open alarms so that they are those in force."""

    raised: Sequence[Condition]
    changed: Sequence[tuple[UUID, Condition]]
    resolved: Sequence[UUID]

    def __bool__(self) -> bool:
        return bool(self.raised or self.changed or self.resolved)


def difference(known: Mapping[UUID, Condition], in_force: Sequence[Condition]) -> Difference:
    """Between the open alarms and the conditions in force, of which there is one for each key."""
    wanted: dict[Key, Condition] = {condition.key: condition for condition in in_force}
    known_keys = {condition.key for condition in known.values()}
    return Difference(
        raised=[condition for key, condition in wanted.items() if key not in known_keys],
        changed=[
            (alarm_id, wanted[was.key])
            for alarm_id, was in known.items()
            if was.key in wanted and _spoken(was) != _spoken(wanted[was.key])
        ],
        resolved=[alarm_id for alarm_id, was in known.items() if was.key not in wanted],
    )


def _spoken(condition: Condition) -> tuple[object, ...]:
    """What people see of it. A figure that moves in its reason is not news."""
    return condition.priority, condition.sentence, condition.inhibited_by, condition.gateway_id, condition.device_name


def write(connection: Connection, found: Difference, at: datetime) -> None:
    """Raise, change and resolve, and tell whoever listens once this commits."""
    if not found:
        return
    if found.resolved:
        connection.execute(
            "UPDATE technical_alarm SET resolved_at = %s, changed_at = %s WHERE alarm_id = ANY(%s)",
            (at, at, list(found.resolved)),
        )
    if found.changed:
        connection.execute(_CHANGE, (as_rows([{"alarm_id": i, **_row(c, at)} for i, c in found.changed]),))
    if found.raised:
        connection.execute(_RAISE, (as_rows([_row(c, at) for c in found.raised]),))
    # One notice, however many: whoever shows them reads them again.
    connection.execute("""SELECT pg_notify('live', '{"type": "technical"}')""")


def _row(condition: Condition, at: datetime) -> dict[str, object]:
    return {
        "condition": condition.name,
        "subject": condition.subject,
        "gateway_id": condition.gateway_id,
        "device_name": condition.device_name,
        "device_id": condition.device_id,
        "priority": condition.priority,
        "sentence": str(condition.sentence),
        "reason": _reason(condition),
        "inhibited_by": condition.inhibited_by,
        "at": at,
    }


def _reason(condition: Condition) -> Mapping[str, object]:
    """With what the sentence is made of, for those who read it in another language."""
    sentence = condition.sentence
    # What is encoded knows strings and not their kin.
    reason = {name: str(value) if isinstance(value, Said) else value for name, value in condition.reason.items()}
    return {**reason, "said": to_json(sentence)} if isinstance(sentence, Said) else reason


_OPEN = """
SELECT alarm_id, condition, subject, priority, sentence, reason, gateway_id, device_name, device_id, inhibited_by
FROM technical_alarm WHERE resolved_at IS NULL
"""

_RAISE = """
INSERT INTO technical_alarm (condition, subject, gateway_id, device_name, device_id, priority, sentence, reason,
                             inhibited_by, raised_at, changed_at)
SELECT condition, subject, gateway_id, device_name, device_id, priority, sentence, reason, inhibited_by, at, at
FROM json_to_recordset(%s::json) AS r(condition text, subject text, gateway_id text, device_name text, device_id text,
                                      priority text, sentence text, reason jsonb, inhibited_by text, at timestamptz)
"""

# What has grown worse is nobody's any more: whoever looked after it looked after less.
_CHANGE = """
UPDATE technical_alarm t SET
    (acknowledged_at, acknowledged_by) = (
        SELECT t.acknowledged_at, t.acknowledged_by
        WHERE array_position(ARRAY['high', 'medium', 'low'], r.priority)
           >= array_position(ARRAY['high', 'medium', 'low'], t.priority)),
    gateway_id = r.gateway_id,
    device_name = r.device_name,
    device_id = r.device_id,
    priority = r.priority,
    sentence = r.sentence,
    reason = r.reason,
    inhibited_by = r.inhibited_by,
    changed_at = r.at
FROM json_to_recordset(%s::json) AS r(alarm_id uuid, gateway_id text, device_name text, device_id text, priority text,
                                      sentence text, reason jsonb, inhibited_by text, at timestamptz)
WHERE t.alarm_id = r.alarm_id
"""
