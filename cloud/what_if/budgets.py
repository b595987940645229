"""Alert budgets: what programmes asked of people, and which asked more than they may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection

from alerting.budget import Spent
from cloud.auth.models import Session
from cloud.what_if import store
from cloud.what_if.models import PROPOSING

Connection = AsyncConnection[Any]

# Budgets are looked at over these spans, in days; the banner goes by the shorter, which tells sooner.
WEEK: Final = 7
MONTH: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one programme has spent."""

    programme_id: str
    display_name: str
    spent: Sequence[Spent]

    @property
    def newest(self) -> Spent:
        """Of the last week."""
        return self.spent[0]


async def accounts(conn: Connection, now: datetime) -> Sequence[Account]:
    """Each programme over the last week and the last four."""
    found: dict[str, tuple[str, list[Spent]]] = {}
    for days in (WEEK, MONTH):
        for load in await store.loads(conn, days, now):
            _, spent = found.setdefault(load.programme_id, (load.display_name, []))
            spent.append(Spent(budget=load.budget, days=load.days, cases=load.cases, patient_days=load.patient_days))
    return [
        Account(programme_id=programme_id, display_name=name, spent=spent)
        for programme_id, (name, spent) in found.items()
    ]


async def exceeded(conn: Connection, session: Session, now: datetime) -> Sequence[Account]:
    """The programmes above their budget in the last week, for those who may change that: a notice, never a page."""
    if session.role not in PROPOSING:
        return ()
    return [account for account in await accounts(conn, now) if account.newest.exceeded]
