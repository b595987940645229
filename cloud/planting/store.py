"""All SQL of training courses, as an administrator of the database makes and ends them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from alerting.synthetic.scenes import Scene
from cloud.db.connect import Connection, one

PROGRAMME = "training"
GATEWAY = "training"


def trainees(connection: Connection, logins: Sequence[str]) -> dict[str, UUID]:
    """Clinical accounts of these logins, by login."""
    rows = connection.execute(
        """SELECT login, account_id FROM account WHERE login = ANY(%s) AND disabled_at IS NULL
           AND role IN ('nurse', 'lead_nurse', 'doctor')""",
        (list(logins),),
    )
    return dict(rows.fetchall())


def zone_of_site(connection: Connection) -> str:
    """Where the clinic is: its training patients live there."""
    zone: str | None = one(connection.execute("SELECT time_zone FROM duty_site").fetchone())[0]
    return zone or "UTC"


def begin(connection: Connection, at: datetime) -> UUID:
    """A new course; whose patients come in by a gateway that nobody else can be."""
    connection.execute(
        """INSERT INTO gateway (gateway_id, enrolled_at) VALUES (%s, %s)
           ON CONFLICT (gateway_id) DO UPDATE SET revoked_at = NULL""",
        (GATEWAY, at),
    )
    row = connection.execute(
        "INSERT INTO training_course (started_at) VALUES (%s) RETURNING course_id", (at,)
    ).fetchone()
    course_id: UUID = one(row)[0]
    return course_id


def planted(connection: Connection, at: datetime) -> None:
    """Shut its gateway out: nobody sends anything for a training patient."""
    connection.execute("UPDATE gateway SET revoked_at = %s WHERE gateway_id = %s", (at, GATEWAY))


def add_patient(
    connection: Connection, course_id: UUID, name: str, zone: str, carers: Sequence[UUID], scene: Scene, at: datetime
) -> UUID:
    """A training patient with what is true of it."""
    row = connection.execute(
        "INSERT INTO patient (display_name, time_zone, training) VALUES (%s, %s, true) RETURNING patient_id",
        (name, zone),
    ).fetchone()
    patient_id: UUID = one(row)[0]
    connection.execute(
        """INSERT INTO patient_programme (patient_id, programme_id, valid, reason)
           VALUES (%s, %s, tstzrange(NULL, NULL), 'training')""",
        (patient_id, PROGRAMME),
    )
    connection.execute("INSERT INTO training_patient (patient_id, course_id) VALUES (%s, %s)", (patient_id, course_id))
    connection.execute(
        "INSERT INTO training_truth (patient_id, kind, crisis, at) VALUES (%s, %s, %s, %s)",
        (patient_id, scene.kind, scene.crisis, scene.at),
    )
    for account_id in carers:
        connection.execute(
            "INSERT INTO care_team (patient_id, account_id, since) VALUES (%s, %s, %s)", (patient_id, account_id, at)
        )
    return patient_id


def open_courses(connection: Connection) -> Sequence[UUID]:
    """Those that have not ended, the oldest first."""
    rows = connection.execute("SELECT course_id FROM training_course WHERE ended_at IS NULL ORDER BY started_at")
    return [course_id for (course_id,) in rows]


def end(connection: Connection, course_id: UUID, at: datetime) -> None:
    """Its cases end, and the truth is told."""
    connection.execute("SELECT training_ended(%s, %s)", (course_id, at))


def clear(connection: Connection, at: datetime) -> None:
    """The patients of all courses that have ended leave their trainees."""
    connection.execute(
        """UPDATE care_team t SET until = %s FROM training_patient p JOIN training_course c USING (course_id)
           WHERE t.patient_id = p.patient_id AND t.until IS NULL AND c.ended_at IS NOT NULL""",
        (at,),
    )


def courses(connection: Connection) -> Sequence[tuple[UUID, datetime, datetime | None, int]]:
    """Each with when it began and ended, and how many patients it has; the newest first."""
    rows = connection.execute(
        """SELECT c.course_id, c.started_at, c.ended_at, count(p.patient_id)
           FROM training_course c LEFT JOIN training_patient p USING (course_id) GROUP BY c.course_id
           ORDER BY c.started_at DESC"""
    )
    return [(course_id, began, ended, patients) for course_id, began, ended, patients in rows]
