"""Calls, stays and answers, as the tests of surveys and complaints need them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from alerting.tiers import Tier
from cloud.db.connect import one
from tests.cloud.made import NOW, Ward
from tests.cloud.worklist.made import planted_case
from tests.fix_centre import open_centre
from tests.fix_console import Console
from tests.fix_services import Copies

TABLES: Final = (
    "survey_rule, survey_choice, survey_sent, survey_link, survey_answer, survey_comment, staff_round, staff_taken,"
    " staff_answer, complaint, complaint_subject, complaint_event, complaint_ask, complaint_link, voice_theme,"
    " theme_action, call, follow_up, outside_message, outside_attempt, patient_channel, channel_consent,"
    " questionnaire_miss, participation, discharge_summary, hospital_stay"
)


@contextmanager
def shared_console(copies: Copies, password_hash: str) -> Iterator[Console]:
    """A console with Lena, who leads and cares for nobody herself, for all tests of a module: see ``cleared``."""
    with open_centre(copies, password_hash, lambda _: {}) as (console, _):
        yield console


def cleared(console: Console) -> Console:
    """As if nothing had been said, asked or answered; it is NOW, and the clinic is on UTC."""
    console.ward.admin.execute(f"TRUNCATE {TABLES} CASCADE")
    console.ward.admin.execute("UPDATE account SET disabled_at = NULL")
    console.ward.admin.execute("UPDATE duty_site SET time_zone = 'UTC'")
    console.clock.time = NOW
    return console


def rule(ward: Ward, kind: str, by: UUID, **changed: Any) -> None:
    """Asked about all of them a day afterwards, from a month ago on, unless it is said otherwise."""
    given = {"after_days": 1, "percent": 100, "apart_days": 30, "is_on": True, "set_at": NOW - timedelta(days=30)}
    ward.admin.execute(
        "INSERT INTO survey_rule (kind, is_on, after_days, percent, apart_days, set_by, set_at) VALUES"
        " (%(kind)s, %(is_on)s, %(after_days)s, %(percent)s, %(apart_days)s, %(by)s, %(set_at)s)",
        {**given, **changed, "kind": kind, "by": by},
    )


def call(ward: Ward, by: UUID, at: datetime, *, outcome: str = "reached", patient_id: UUID | None = None) -> UUID:
    """A call that has ended."""
    of = patient_id or ward.patient_id
    [(case_id,)] = ward.admin.execute(
        "SELECT case_id FROM alert_case WHERE patient_id = %s LIMIT 1", (of,)
    ).fetchall() or [(planted_case(ward, Tier.ROUTINE, patient_id=of),)]
    row = ward.admin.execute(
        "INSERT INTO call (patient_id, case_id, account_id, started_at, ended_at, outcome)"
        " VALUES (%s, %s, %s, %s, %s, %s) RETURNING call_id",
        (of, case_id, by, at - timedelta(minutes=5), at, outcome),
    ).fetchone()
    call_id: UUID = one(row)[0]
    return call_id


def sent(ward: Ward, survey: str = "contact", at: datetime = NOW, concerned: UUID | None = None) -> UUID:
    """A survey that waits for its answer."""
    row = ward.admin.execute(
        "INSERT INTO survey_sent (patient_id, kind, about, concerned, survey, version, sent_at, until)"
        " VALUES (%s, %s, gen_random_uuid(), %s, %s, 1, %s, %s) RETURNING sent_id",
        (ward.patient_id, survey, concerned, survey, at, at + timedelta(days=14)),
    ).fetchone()
    sent_id: UUID = one(row)[0]
    return sent_id


def answered(ward: Ward, answers: dict[str, str], at: datetime = NOW, survey: str = "contact") -> None:
    """One more answer of somebody."""
    ward.admin.execute(
        "INSERT INTO survey_answer (sent_id, patient_id, survey, version, answers, answered_at)"
        " VALUES (%s, %s, %s, 1, %s, %s)",
        (sent(ward, survey, at - timedelta(hours=1)), ward.patient_id, survey, Jsonb(answers), at),
    )
