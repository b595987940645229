"""The chain of the audit: what the database writes, who may touch it, and what the verifier finds."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from cloud.audit.chain import link_hash
from cloud.audit.models import FIRST_HASH, Content, Head, Whole
from cloud.audit.store import head
from cloud.db.connect import one
from tests.cloud.audit.made import found_after, found_at, tamper, verdict, written
from tests.cloud.made import Ward

ROLES = ("pulsepost_ingest", "pulsepost_console", "pulsepost_jobs", "pulsepost_enrolment")
CHANGES: tuple[LiteralString, ...] = (
    "UPDATE audit SET action = 'nothing'",
    "DELETE FROM audit",
    "TRUNCATE audit",
    "UPDATE audit_link SET hash = hash",
    "DELETE FROM audit_link",
    "TRUNCATE audit_link",
    "INSERT INTO audit_link VALUES (99, 99, now(), sha256(''))",
    "ALTER TABLE audit DISABLE TRIGGER ALL",
    "SELECT audit_append(NULL::audit)",
)


CHANGED_COLUMNS: tuple[LiteralString, ...] = (
    "UPDATE audit SET at = at + interval '1 microsecond' WHERE audit_id = 3",
    "UPDATE audit SET account_id = NULL WHERE audit_id = 3",
    "UPDATE audit SET account_id = patient_id WHERE audit_id = 3",
    "UPDATE audit SET action = 'plan.read' WHERE audit_id = 3",
    "UPDATE audit SET subject = '' WHERE audit_id = 3",
    "UPDATE audit SET patient_id = NULL WHERE audit_id = 3",
    "UPDATE audit SET detail = '{}' WHERE audit_id = 3",
    "UPDATE audit SET detail = jsonb_set(detail, '{number}', '1.5') WHERE audit_id = 3",
    "UPDATE audit SET at = 'infinity' WHERE audit_id = 3",
    "UPDATE audit_link SET linked_at = linked_at - interval '1 day' WHERE position = 3",
    "UPDATE audit_link SET hash = sha256('') WHERE position = 3",
)


SWAPS: tuple[tuple[LiteralString, ...], ...] = (
    (
        "UPDATE audit_link SET position = 99 WHERE position = 2",
        "UPDATE audit_link SET position = 2 WHERE position = 4",
        "UPDATE audit_link SET position = 4 WHERE position = 99",
    ),
    (
        "UPDATE audit_link SET audit_id = 99 WHERE position = 2",
        "UPDATE audit_link SET audit_id = 2 WHERE position = 4",
        "UPDATE audit_link SET audit_id = 4 WHERE position = 99 OR audit_id = 99",
    ),
    (
        """UPDATE audit a SET (at, account_id, action, subject, patient_id, detail) =
           (SELECT b.at, b.account_id, b.action, b.subject, b.patient_id, b.detail FROM audit b
            WHERE b.audit_id = 6 - a.audit_id) WHERE a.audit_id IN (2, 4)""",
    ),
)


@pytest.fixture
def ward(ward: Ward) -> Ward:
    """With five rows in the audit."""
    written(ward.admin, ward.nurse_id, ward.patient_id)
    return ward


def test_no_role_of_ours_changes_takes_away_or_puts_in(ward: Ward) -> None:
    for role, statement in itertools.product(ROLES, CHANGES):
        ward.admin.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ward.admin.execute(statement)
        ward.admin.execute("RESET ROLE")
    assert verdict(ward.admin) == Whole(rows=5, head=head(ward.admin))


def test_not_even_the_owner_changes_a_row_by_the_way(ward: Ward) -> None:
    for session, statement in itertools.product(("origin", "replica"), CHANGES[:6]):
        ward.admin.execute(sql.SQL("SET session_replication_role = {}").format(session))
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            ward.admin.execute(statement)


def test_a_session_that_says_it_replicates_is_linked_all_the_same(ward: Ward) -> None:
    ward.admin.execute("SET session_replication_role = replica")
    written(ward.admin, None, None, rows=1)
    assert verdict(ward.admin) == Whole(rows=6, head=head(ward.admin))


def test_the_hash_is_that_of_the_page_about_the_audit() -> None:
    """The example of docs/audit.md, octet by octet."""
    content = Content(
        audit_id="7",
        at="1763726400000000",
        account_id=None,
        action="sign_in",
        subject="account:ä",
        patient_id=None,
        detail="{}",
    )
    expected = "562d711cd585baba06cc7df54a183f91147522e57f5f676e4375e3611148ec53"
    assert link_hash(FIRST_HASH, 1, "1763726400000001", content).hex() == expected


def test_an_empty_audit_is_whole(ward: Ward) -> None:
    tamper(ward.admin, "DELETE FROM audit", "DELETE FROM audit_link")
    assert verdict(ward.admin) == Whole(rows=0, head=None)


def test_what_was_rolled_back_leaves_no_gap(ward: Ward) -> None:
    with psycopg.connect(ward.database.console_url) as console:
        written(console, ward.nurse_id, None, rows=3)
        console.rollback()
        written(console, ward.nurse_id, None, rows=1)
        with console.transaction(force_rollback=True):
            written(console, ward.nurse_id, None, rows=1)
        written(console, ward.nurse_id, None, rows=1)
    assert ward.rows("SELECT max(position) FROM audit_link") == [(7,)]
    assert ward.rows("SELECT max(audit_id) FROM audit") == [(11,)]
    assert verdict(ward.admin) == Whole(rows=7, head=head(ward.admin))


def test_many_writers_keep_one_chain(ward: Ward) -> None:
    def write(_writer: int) -> None:
        with psycopg.connect(ward.database.console_url) as console:
            for number in range(20):
                written(console, ward.nurse_id, ward.patient_id, rows=number % 3)
                if number % 4:
                    console.commit()
                else:
                    console.rollback()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    rows = ward.count("audit")
    assert rows > 100
    assert verdict(ward.admin) == Whole(rows=rows, head=head(ward.admin))


def test_whoever_writes_and_then_thinks_keeps_nobody_waiting(ward: Ward) -> None:
    with psycopg.connect(ward.database.console_url) as slow, psycopg.connect(ward.database.console_url) as quick:
        written(slow, ward.nurse_id, None, rows=1)
        quick.execute("SET lock_timeout = '1s'")
        written(quick, ward.nurse_id, None, rows=1)
        quick.commit()
    assert verdict(ward.admin) == Whole(rows=7, head=head(ward.admin))


def test_an_older_snapshot_is_refused_rather_than_forking_the_chain(ward: Ward) -> None:
    with psycopg.connect(ward.database.console_url) as console:
        console.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        written(console, ward.nurse_id, None, rows=1)
        with pytest.raises(psycopg.errors.RaiseException, match="read committed"):
            console.commit()


def test_a_changed_column_is_found_in_its_row(ward: Ward) -> None:
    for change in CHANGED_COLUMNS:
        assert found_after(ward.admin, change) == ("changed", 3, 3), change
    assert verdict(ward.admin) == Whole(rows=5, head=head(ward.admin))


def test_a_changed_number_is_a_missing_row(ward: Ward) -> None:
    tamper(
        ward.admin,
        "ALTER TABLE audit ALTER audit_id DROP IDENTITY",
        "UPDATE audit SET audit_id = 77 WHERE audit_id = 3",
    )
    assert found_at(ward.admin) == ("missing", 3, 3)


def test_a_row_taken_away_is_named(ward: Ward) -> None:
    rows: tuple[tuple[int, LiteralString, LiteralString], ...] = (
        (1, "DELETE FROM audit WHERE audit_id = 1", "DELETE FROM audit_link WHERE position = 1"),
        (3, "DELETE FROM audit WHERE audit_id = 3", "DELETE FROM audit_link WHERE position = 3"),
    )
    for row, of_it, of_its_place in rows:
        assert found_after(ward.admin, of_it) == ("missing", row, row)
        assert found_after(ward.admin, of_it, of_its_place) == ("missing", row, None)


def test_the_newest_rows_taken_away_are_found_by_a_head_that_was_written_down(ward: Ward) -> None:
    kept = head(ward.admin)
    assert kept is not None
    tamper(ward.admin, "DELETE FROM audit WHERE audit_id > 3", "DELETE FROM audit_link WHERE position > 3")
    assert isinstance(verdict(ward.admin), Whole), "nothing in the database itself tells"
    assert found_at(ward.admin, kept) == ("missing", 4, None)
    written(ward.admin, ward.nurse_id, ward.patient_id)
    assert found_at(ward.admin, kept) == ("changed", 5, 7), "others in their place are not they"


def test_a_chain_that_was_written_anew_is_found_by_a_head_that_was_written_down(ward: Ward) -> None:
    kept = head(ward.admin)
    assert kept is not None
    tamper(
        ward.admin,
        "UPDATE audit SET account_id = NULL WHERE audit_id = 2",
        "DELETE FROM audit_link",
        "SELECT audit_append(a) FROM (SELECT a FROM audit a ORDER BY a.audit_id) AS entries (a)",
    )
    assert isinstance(verdict(ward.admin), Whole)
    assert found_at(ward.admin, kept) == ("changed", 5, 5)


def test_a_row_put_in_past_the_chain_is_named(ward: Ward) -> None:
    tamper(ward.admin, "INSERT INTO audit (at, action, subject) VALUES (now(), 'patient.read', 'patient:x')")
    assert found_at(ward.admin) == ("inserted", None, 6)


def test_a_row_put_into_the_middle_is_named(ward: Ward) -> None:
    tamper(
        ward.admin,
        "INSERT INTO audit (at, action, subject) VALUES (now(), 'patient.read', 'patient:x')",
        "UPDATE audit_link SET position = position + 100 WHERE position > 2",
        "UPDATE audit_link SET position = position - 99 WHERE position > 100",
        "INSERT INTO audit_link VALUES (3, 6, now(), sha256('forged'))",
    )
    assert found_at(ward.admin)[1:] == (3, 6)


def test_rows_that_changed_places_are_named(ward: Ward) -> None:
    for swap in SWAPS:
        assert found_after(ward.admin, *swap)[:2] == ("reordered", 2), swap


def test_a_head_reads_as_it_is_written(ward: Ward) -> None:
    kept = head(ward.admin)
    position, found = one(ward.admin.execute("SELECT position, hash FROM audit_link WHERE position = 5").fetchone())
    assert kept == Head(position=position, hash=found)
    assert str(kept) == f"audit head 5 {found.hex()}"
