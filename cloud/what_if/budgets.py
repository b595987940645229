"""Alert budgets: what programmes asked of people, and which asked more than they may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from alerting.budget import Spent
from cloud.auth.models import Session
from cloud.what_if import store
from cloud.what_if.models import PROPOSING

Connection = AsyncConnection[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one programme has spent, over the shortest span first."""

    programme_id: str
    display_name: str
    counted_at: datetime
    spent: Sequence[Spent]

    @property
    def newest(self) -> Spent:
        """Of the shortest span."""
        return self.spent[0]


async def accounts(conn: Connection) -> Sequence[Account]:
    """Each programme, as it was last counted."""
    found: dict[str, Account] = {}
    for load in await store.loads(conn):
        spent = Spent(budget=load.budget, days=load.days, cases=load.cases, patient_days=load.patient_days)
        before = found[load.programme_id].spent if load.programme_id in found else ()
        found[load.programme_id] = Account(
            programme_id=load.programme_id,
            display_name=load.display_name,
            counted_at=load.counted_at,
            spent=(*before, spent),
        )
    return list(found.values())


async def exceeded(conn: Connection, session: Session) -> Sequence[Account]:
    """The programmes above their budget in the last week, for those who may change that: a notice, never a page."""
    if session.role not in PROPOSING:
        return ()
    return [account for account in await accounts(conn) if account.newest.exceeded]
