"""All SQL of the pages of gateways."""

from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import class_row, dict_row
from psycopg.sql import SQL

from cloud.gateways.models import Certificate, Found, Gateway, RosteredDevice, Summary

Connection = AsyncConnection[Any]

_SAID: Final = SQL(
    """g.gateway_id, g.state, g.state_at, g.last_seen_at, g.revoked_at, g.software, g.outbox_depth, g.oldest_unsent_s,
       g.clock_offset_s, g.clock_synchronised, g.disk_free_octets, g.storage_error,
       (ARRAY['high', 'medium', 'low'])[a.worst] AS worst, coalesce(a.alarms, 0) AS alarms,
       coalesce(a.troubled, 0) AS troubled"""
)
# What a gateway shows, by its own word; else the last one that it was given.
_CERTIFICATE_UNTIL: Final = SQL(
    """coalesce(g.certificate_until,
                (SELECT max(c.not_after) FROM gateway_certificate c
                 WHERE c.gateway_id = g.gateway_id AND c.revoked_at IS NULL)) AS certificate_until"""
)
_DEVICES: Final = SQL("(SELECT count(*) FROM gateway_device d WHERE d.gateway_id = g.gateway_id) AS devices")
_ALARMS: Final = SQL(
    """SELECT gateway_id, min(array_position(ARRAY['high', 'medium', 'low'], priority)) AS worst, count(*) AS alarms,
              count(DISTINCT device_name) AS troubled
       FROM technical_alarm
       WHERE resolved_at IS NULL AND inhibited_by IS NULL AND gateway_id IS NOT NULL"""
)

# What is dear is looked up for the lines of one page only. Gateways that were locked out are nobody's work: last.
_LIST: Final = SQL(
    """WITH alarms AS ({alarms} GROUP BY gateway_id),
       shown AS MATERIALIZED (
           SELECT {said}, g.certificate_until, count(*) OVER () AS total,
                  row_number() OVER (ORDER BY g.revoked_at IS NOT NULL, a.worst, a.alarms DESC NULLS LAST,
                                     array_position(ARRAY['offline', 'online', 'never_seen'], g.state),
                                     g.oldest_unsent_s DESC NULLS LAST, g.gateway_id) AS place
           FROM gateway g LEFT JOIN alarms a USING (gateway_id)
           WHERE g.gateway_id ILIKE %(pattern)s
           ORDER BY place LIMIT %(most)s OFFSET %(skip)s)
       SELECT g.gateway_id, g.state, g.state_at, g.last_seen_at, g.revoked_at, g.software, g.outbox_depth,
              g.oldest_unsent_s, g.clock_offset_s, g.clock_synchronised, g.disk_free_octets, g.storage_error, g.worst,
              g.alarms, g.troubled, g.total,
              {certificate_until}, {devices}
       FROM shown g ORDER BY g.place"""
).format(alarms=_ALARMS, said=_SAID, certificate_until=_CERTIFICATE_UNTIL, devices=_DEVICES)

_GATEWAY: Final = SQL(
    """SELECT {said}, {certificate_until}, {devices}, g.enrolled_at, g.started_at, g.versions,
              (SELECT count(*) FROM quarantine q WHERE q.gateway_id = g.gateway_id AND q.resolved_at IS NULL)
                  AS quarantined
       FROM gateway g
       LEFT JOIN ({alarms} AND gateway_id = %(gateway_id)s GROUP BY gateway_id) a USING (gateway_id)
       WHERE g.gateway_id = %(gateway_id)s"""
).format(said=_SAID, certificate_until=_CERTIFICATE_UNTIL, devices=_DEVICES, alarms=_ALARMS)


async def gateways(conn: Connection, search: str, most: int, skip: int) -> Found:
    """Those whose id contains ``search``, the worst first: ``most`` of them from the ``skip``-th on."""
    pattern = f"%{_literally(search)}%"
    async with conn.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_LIST, {"pattern": pattern, "most": most, "skip": skip})
        rows = await cursor.fetchall()
    total = rows[0]["total"] if rows else 0
    return Found(gateways=[Summary(**{k: v for k, v in row.items() if k != "total"}) for row in rows], total=total)


async def gateway(conn: Connection, gateway_id: str) -> Gateway | None:
    async with conn.cursor(row_factory=class_row(Gateway)) as cursor:
        await cursor.execute(_GATEWAY, {"gateway_id": gateway_id})
        return await cursor.fetchone()


async def certificates(conn: Connection, gateway_id: str) -> list[Certificate]:
    """All that it was ever given, the newest first."""
    async with conn.cursor(row_factory=class_row(Certificate)) as cursor:
        await cursor.execute(
            """SELECT serial_number, issued_at, not_before, not_after, how, revoked_at, revoked_why
               FROM gateway_certificate WHERE gateway_id = %s ORDER BY issued_at DESC, serial_number""",
            (gateway_id,),
        )
        return await cursor.fetchall()


async def devices(conn: Connection, gateway_id: str) -> list[RosteredDevice]:
    """Its roster by name, each device with what has arrived of it."""
    async with conn.cursor(row_factory=class_row(RosteredDevice)) as cursor:
        await cursor.execute(
            """SELECT d.name, d.profile, d.transport, d.device_id, d.visited_at, d.outcome, d.reason, d.complete_at,
                      coalesce(k.holds, d.holds) AS holds, d.heard_at, d.battery_low, d.repairs, d.told_at, r.missing,
                      r.holes, k.readings_known AS known,
                      CASE WHEN k.device_id IS NOT NULL THEN
                          (SELECT count(*) FROM quarantine q
                           WHERE q.device_id = k.device_id AND q.reading_id IS NOT NULL
                             AND q.resolution IS DISTINCT FROM 'released') END AS quarantined
               FROM gateway_device d LEFT JOIN device k USING (device_id) LEFT JOIN reconciliation r USING (device_id)
               WHERE d.gateway_id = %s ORDER BY d.name""",
            (gateway_id,),
        )
        return await cursor.fetchall()


def _literally(text: str) -> str:
    """For LIKE: what was typed, and not a pattern."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
