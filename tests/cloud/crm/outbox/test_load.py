"""A month of a centre with thousands of gateways in the outbox: nobody has to read all of it for what they ask."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from cloud.crm.outbox import store
from cloud.crm.outbox.course import KEPT
from cloud.db.connect import Connection
from tests.cloud.crm.outbox.made import Telling

PATIENTS, TAKEN, WAITING = 50, 2_000, 200
FILL = """
INSERT INTO patient (display_name, birth_date, time_zone) SELECT 'P' || n, '1950-01-01', 'UTC'
FROM generate_series(1, %(patients)s) n;
INSERT INTO crm_outbox (event_id, destination_id, patient_id, subject, type, at, what, thing_id, reference, data, state,
                        next_at, since, ended_at)
SELECT gen_random_uuid(), d.destination_id, p.patient_id, crm_reference(d.reference_key, p.patient_id),
       'org.pulsepost.case.opened.v1', w.at, 'case', t.id, t.id, '{}',
       CASE WHEN n > %(waiting)s THEN 'done' ELSE 'waiting' END, w.at, w.at, CASE WHEN n > %(waiting)s THEN w.at END
FROM generate_series(1, %(all)s) n
CROSS JOIN LATERAL (SELECT %(now)s::timestamptz - n * interval '15 min' AS at) w
CROSS JOIN LATERAL (SELECT md5('thing' || n)::uuid AS id) t
JOIN (SELECT patient_id, row_number() OVER () - 1 AS place FROM patient) p ON p.place = n %% %(patients)s
CROSS JOIN crm_destination d;
INSERT INTO crm_remote (destination_id, kind, reference, patient_id, thing_id, remote_id, made_at)
SELECT destination_id, 'todo', reference, patient_id, thing_id, seq, at FROM crm_outbox WHERE state = 'done';
INSERT INTO crm_inbox (destination_id, event_id, kind, remote_id, heard_at, next_at, outcome, settled_at)
SELECT destination_id, event_id, 'todo_changed', seq, at, at, 'nothing', at FROM crm_outbox WHERE state = 'done';
"""


def fill(telling: Telling) -> UUID:
    """A reference of something that was taken."""
    admin = telling.ward.admin
    given = {"patients": PATIENTS, "waiting": WAITING, "all": TAKEN + WAITING, "now": telling.clock()}
    for statement in FILL.strip().split(";\n"):
        admin.execute(statement.rstrip(";"), given)
    admin.execute("ANALYZE crm_outbox, crm_remote, crm_inbox")
    [(reference,)] = telling.ward.rows("SELECT reference FROM crm_remote LIMIT 1")
    found: UUID = reference
    return found


@contextmanager
def reading_through_nothing(connection: Connection) -> Iterator[None]:
    """For everything in the block, which is one transaction, there is an index; so few rows would be read without."""
    with connection.transaction():
        connection.execute("SET LOCAL enable_seqscan = off")
        before = read_through(connection)
        yield
        assert read_through(connection) == before


def read_through(connection: Connection) -> list[tuple[str, int]]:
    """How many rows of each table were read without an index, as far as this connection has counted."""
    return connection.execute(
        "SELECT relname, seq_tup_read FROM pg_stat_xact_user_tables"
        " WHERE relname IN ('crm_outbox', 'crm_remote', 'crm_inbox') ORDER BY relname"
    ).fetchall()


def test_a_month_of_thousands_of_gateways_is_read_through_by_nobody(telling: Telling) -> None:
    reference, admin, now = fill(telling), telling.ward.admin, telling.clock()
    with reading_through_nothing(telling.jobs):
        letter = store.claim(telling.jobs, telling.destination_id, now)
        assert letter is not None
        store.known(telling.jobs, letter)
        store.done(telling.jobs, letter, now)
        assert store.forget(telling.jobs, now - KEPT / 2, 100) == 100
        assert store.forget_hints(telling.jobs, now - KEPT / 2, 100) == 100
        assert store.hints(telling.jobs, telling.destination_id, now, 50) == []
        assert store.todo_of(telling.jobs, telling.destination_id, "1") is None
    with reading_through_nothing(admin):
        telling.happens(telling.case(), "resolve", "resolved")
        assert admin.execute(store._PLACE, {"reference": reference}).fetchone() is not None
    admin.execute("INSERT INTO account (login, display_name, role) VALUES ('support', 'Support', 'support')")
    with reading_through_nothing(admin):
        admin.execute(
            "SELECT set_config('pulsepost.account_id', account_id::text, true) FROM account WHERE login = 'support'"
        )
        assert admin.execute("SELECT waiting, dead FROM crm_standing").fetchall() == [(WAITING + 1, 0)]
