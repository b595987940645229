"""Gateways, their devices and technical alarms as rows, for the tests of pages: nothing judges them here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from cloud.db.connect import Connection, one
from tests.cloud.made import NOW

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Fleet:
    """Puts rows in as an administrator."""

    admin: Connection

    def gateway(
        self, gateway_id: str, *, state: str = "online", seen_at: datetime | None = NOW - MINUTE, **said: object
    ) -> str:
        """A gateway that last said so of itself; one that is there already is brought up to date."""
        fields = {"gateway_id": gateway_id, "state": state, "state_at": seen_at, "last_seen_at": seen_at, **said}
        self._put("gateway", "gateway_id", {k: Jsonb(v) if isinstance(v, Mapping) else v for k, v in fields.items()})
        return gateway_id

    def device(self, gateway_id: str, name: str, **said: object) -> None:
        """A device of its roster."""
        fields = {"gateway_id": gateway_id, "name": name, "profile": "a-profile", "told_at": NOW, **said}
        self._put(
            "gateway_device",
            "gateway_id, name",
            {k: Jsonb(v) if isinstance(v, Mapping) else v for k, v in fields.items()},
        )

    def alarm(
        self,
        condition: str,
        subject: str,
        *,
        priority: str = "medium",
        sentence: str = "Something is wrong.",
        raised_at: datetime = NOW - timedelta(hours=1),
        **more: object,
    ) -> UUID:
        """A technical alarm, open unless ``resolved_at`` says otherwise."""
        fields = {
            "condition": condition,
            "subject": subject,
            "priority": priority,
            "sentence": sentence,
            "reason": Jsonb({}),
            "raised_at": raised_at,
            "changed_at": raised_at,
            **more,
        }
        row = self.admin.execute(
            f"INSERT INTO technical_alarm ({', '.join(fields)}) VALUES ({', '.join(['%s'] * len(fields))})"  # noqa: S608 -- names of columns, from this file and its callers
            " RETURNING alarm_id",
            tuple(fields.values()),
        ).fetchone()
        alarm_id: UUID = one(row)[0]
        return alarm_id

    def certificate(self, gateway_id: str, serial_number: int, *, until: datetime, **more: object) -> None:
        """A certificate that was given out 30 days ago."""
        fields = {
            "serial_number": serial_number,
            "gateway_id": gateway_id,
            "issued_at": NOW - timedelta(days=30),
            "not_before": NOW - timedelta(days=30),
            "not_after": until,
            "how": "enrolment",
            **more,
        }
        self._put("gateway_certificate", "serial_number", fields)

    def component(self, name: str, kind: str, seen_at: datetime) -> None:
        """One of our own processes, last there at that time."""
        self._put("component", "name", {"name": name, "kind": kind, "seen_at": seen_at})

    def _put(self, table: str, key: str, fields: Mapping[str, object]) -> None:
        names = ", ".join(fields)
        updates = ", ".join(f"{name} = excluded.{name}" for name in fields)
        values = ", ".join(["%s"] * len(fields))
        self.admin.execute(
            f"INSERT INTO {table} ({names}) VALUES ({values}) ON CONFLICT ({key}) DO UPDATE SET {updates}",  # noqa: S608 -- names of tables and columns, from this file and its callers
            tuple(fields.values()),
        )
