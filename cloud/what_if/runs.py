"""All SQL of the jobs process on runs: which is next, whom it is about, how far it is."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from psycopg.rows import dict_row
from psycopg.sql import SQL

from cloud.auth.care_team import IN_CARE_TEAM
from cloud.db.connect import Connection
from cloud.what_if.membership import PROGRAMME_OF, WATCHED
from cloud.what_if.models import COLUMNS, Run


def only_one(connection: Connection) -> bool:
    """Whether no other process is at a slice: until the end of this transaction."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('try_limits', 0))").fetchone()
    return bool(row and row[0])


def next_run(connection: Connection) -> Run | None:
    """Of the open ones: those of one patient first, then by when they were asked for."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            SQL(
                "SELECT {} FROM what_if_run WHERE ended_at IS NULL ORDER BY programme_id IS NOT NULL, asked_at LIMIT 1"
            ).format(SQL(COLUMNS))
        ).fetchone()
    return Run.of_row(row) if row is not None else None


def is_any_open(connection: Connection) -> bool:
    """Whether something is left to do."""
    return connection.execute("SELECT FROM what_if_run WHERE ended_at IS NULL LIMIT 1").fetchone() is not None


def patients_of(connection: Connection, run: Run) -> Sequence[UUID]:
    """Those still to be looked at, by id: whom somebody watches and the person who asked may see, now."""
    query = SQL(
        """SELECT p.patient_id FROM patient p
           WHERE (p.patient_id = %(patient_id)s::uuid OR %(patient_id)s::uuid IS NULL)
             AND ({programme_of} = %(programme_id)s::text OR %(programme_id)s::text IS NULL)
             AND (p.patient_id > %(last_patient)s::uuid OR %(last_patient)s::uuid IS NULL)
             AND {in_care_team} AND {watched}
           ORDER BY p.patient_id"""
    ).format(in_care_team=IN_CARE_TEAM, programme_of=PROGRAMME_OF, watched=WATCHED)
    parameters = {
        "patient_id": run.patient_id,
        "programme_id": run.programme_id,
        "last_patient": run.last_patient,
        "account_id": run.asked_by,
        "at": run.asked_at,
    }
    return [patient_id for (patient_id,) in connection.execute(query, parameters)]


def patients_in(connection: Connection, programme_id: str, at: datetime) -> Sequence[UUID]:
    """All patients of a programme whom somebody watches: for the operator's command."""
    query = SQL(
        "SELECT p.patient_id FROM patient p WHERE {programme_of} = %(programme_id)s AND {watched} ORDER BY 1"
    ).format(programme_of=PROGRAMME_OF, watched=WATCHED)
    return [patient_id for (patient_id,) in connection.execute(query, {"programme_id": programme_id, "at": at})]


def is_programme(connection: Connection, programme_id: str) -> bool:
    """Whether there is a programme of this id."""
    row = connection.execute("SELECT FROM programme WHERE programme_id = %s", (programme_id,)).fetchone()
    return row is not None


def keep(
    connection: Connection, run: Run, *, patients: int, done: int, last_patient: UUID | None, ended_at: datetime | None
) -> bool:
    """How far it is now, unless somebody has cancelled it meanwhile: then False, and nothing changes."""
    kept = connection.execute(
        "UPDATE what_if_run SET state = %(state)s, patients = %(patients)s, done = %(done)s,"
        " last_patient = %(last_patient)s, result = %(result)s, ended_at = %(ended_at)s"
        " WHERE run_id = %(run_id)s AND ended_at IS NULL",
        {
            "run_id": run.run_id,
            "state": "running" if ended_at is None else "done",
            "patients": patients,
            "done": done,
            "last_patient": last_patient,
            "result": msgspec.json.encode(run.result).decode(),
            "ended_at": ended_at,
        },
    )
    return kept.rowcount == 1


def fail(connection: Connection, run: Run, error: str, at: datetime) -> None:
    """It cannot be done; why, for the person who asked."""
    connection.execute(
        "UPDATE what_if_run SET state = 'failed', error = %s, ended_at = %s WHERE run_id = %s AND ended_at IS NULL",
        (error, at, run.run_id),
    )
