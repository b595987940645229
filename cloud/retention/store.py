"""All SQL that ends what is kept no longer. Nothing that a reading, a case or an open alarm refers to is touched."""

from datetime import datetime

from cloud.db.connect import Connection, one


def end_sessions(connection: Connection, before: datetime, newest: int, at_once: int) -> int:
    """End sessions that brought no reading and came before; how many, ``at_once`` at most.

    Kept are the ``newest`` of each device, the newest by each gateway (it may speak of its devices, see
    `cloud.devices.statuses`), and the one by which a device's memory is reconciled.
    """
    return connection.execute(_END_SESSIONS, {"before": before, "newest": newest, "at_once": at_once}).rowcount


def end_alarms(connection: Connection, before: datetime, at_once: int) -> int:
    """End alarms that were resolved before; how many. The last one of each condition and subject is kept."""
    return connection.execute(_END_ALARMS, {"before": before, "at_once": at_once}).rowcount


def end_commands(connection: Connection, before: datetime, at_once: int) -> int:
    """End commands that were over before; how many. Kept are the newest of a kind to each gateway, and pairings'."""
    return connection.execute(_END_COMMANDS, {"before": before, "at_once": at_once}).rowcount


def forget_withdrawn(connection: Connection, before: datetime, at_once: int, now: datetime) -> int:
    """Empty what lies in quarantine of patients who withdrew before, and came before; how many readings or messages."""
    row = one(connection.execute("SELECT forget_withdrawn(%s, %s, %s)", (before, at_once, now)).fetchone())
    forgotten: int = row[0]
    return forgotten


_END_SESSIONS = """
DELETE FROM device_session WHERE session_id IN (
    SELECT old.session_id FROM device_session old
    WHERE old.received_at < %(before)s
      AND old.started_at < (SELECT newer.started_at FROM device_session newer WHERE newer.device_id = old.device_id
                            ORDER BY newer.started_at DESC OFFSET %(newest)s - 1 LIMIT 1)
      AND EXISTS (SELECT FROM device_session newer WHERE newer.device_id = old.device_id
                  AND newer.gateway_id = old.gateway_id AND newer.started_at > old.started_at)
      AND NOT EXISTS (SELECT FROM device d WHERE d.complete_session_id = old.session_id)
      AND NOT EXISTS (SELECT FROM ledger l WHERE l.device_id = old.device_id AND l.session_id = old.session_id)
      AND NOT EXISTS (SELECT FROM quarantine q WHERE q.session_id = old.session_id)
    ORDER BY old.received_at LIMIT %(at_once)s)
"""

_END_ALARMS = """
DELETE FROM technical_alarm WHERE alarm_id IN (
    SELECT old.alarm_id FROM technical_alarm old
    WHERE old.resolved_at < %(before)s
      AND EXISTS (SELECT FROM technical_alarm newer WHERE newer.condition = old.condition
                  AND newer.subject = old.subject AND newer.resolved_at > old.resolved_at)
    ORDER BY old.resolved_at LIMIT %(at_once)s)
"""

_END_COMMANDS = """
DELETE FROM gateway_command WHERE command_id IN (
    SELECT old.command_id FROM gateway_command old
    WHERE old.expires_at < %(before)s AND old.stage IN ('done', 'failed', 'refused', 'expired')
      AND EXISTS (SELECT FROM gateway_command newer WHERE newer.gateway_id = old.gateway_id AND newer.kind = old.kind
                  AND newer.created_at > old.created_at)
      AND NOT EXISTS (SELECT FROM pairing p WHERE p.command_id = old.command_id)
    ORDER BY old.expires_at LIMIT %(at_once)s)
"""
