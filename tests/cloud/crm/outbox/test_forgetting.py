"""What a CRM took is gone after a month; what it did not take, what waits, and what they need of the past is not."""

from uuid import UUID

import pytest

from cloud.config import JobsSettings
from cloud.crm.outbox import store
from cloud.crm.outbox.course import KEPT
from cloud.jobs.desk import Desk
from cloud.jobs.forgetting_told import forget_all
from tests.cloud.crm.outbox.made import Telling
from tests.cloud.made import NOW

A_MONTH_H = KEPT.total_seconds() / 3600 + 1


def forget(telling: Telling) -> int:
    with telling.connect() as connection:
        return store.forget(connection, telling.clock() - KEPT, 1000)


def known(telling: Telling) -> list[tuple[str, UUID]]:
    """What we still know them by."""
    return telling.ward.rows("SELECT kind, thing_id FROM crm_remote ORDER BY kind")


def test_what_was_taken_is_gone_after_a_month_and_the_end_of_the_case_is_told_all_the_same(telling: Telling) -> None:
    case_id = telling.case()
    telling.happens(case_id, "acknowledge", "acknowledged")
    telling.turn()
    telling.clock.forward(hours=A_MONTH_H - 2)
    assert forget(telling) == 0
    telling.clock.forward(hours=2)
    assert forget(telling) == 2
    assert telling.states() == []
    assert known(telling) == [("contact", telling.ward.patient_id), ("todo", case_id)]
    telling.happens(case_id, "resolve", "resolved")
    telling.turn()
    assert telling.states() == [("case.resolved", "done")]
    assert telling.crm.todos() == {telling.reference(case_id): "done"}
    assert sum(one.data["verb"] == "upsert_contact" for one in telling.crm.taken) == 1


def test_a_dead_letter_is_kept_with_what_followed_it_until_somebody_settles_it(telling: Telling) -> None:
    case_id, other = telling.case(), telling.case(telling.patient(), condition="another")
    telling.happens(case_id, "resolve", "resolved")
    telling.crm.poison.add(telling.reference(case_id))
    for _ in range(30):
        telling.clock.forward(minutes=51)
        telling.turn()
    assert telling.states() == [("case.opened", "dead"), ("case.opened", "done"), ("case.resolved", "done")]
    telling.clock.forward(hours=A_MONTH_H)
    waits = telling.case(telling.patient(), condition="waits")
    assert forget(telling) == 1
    assert telling.states() == [("case.opened", "dead"), ("case.resolved", "done"), ("case.opened", "waiting")]
    [(dead,)] = telling.ward.rows("SELECT seq FROM crm_outbox WHERE state = 'dead'")
    admin = telling.ward.admin
    admin.execute("INSERT INTO account (login, display_name, role) VALUES ('support', 'Support', 'support')")
    with admin.transaction():
        admin.execute(
            "SELECT set_config('pulsepost.account_id', account_id::text, true) FROM account WHERE login = 'support'"
        )
        for times in (1, 0):
            found = admin.execute(
                "SELECT crm_settle(%s, %s, 'seen to', %s)", (telling.destination_id, dead, telling.clock())
            ).fetchone()
            assert found == (times,)
    assert forget(telling) == 1  # what followed it
    telling.clock.forward(hours=A_MONTH_H)
    assert forget(telling) == 1  # and itself, a month after it was settled
    assert telling.states() == [("case.opened", "waiting")]
    telling.turn()
    assert telling.crm.todos() == {telling.reference(other): "open", telling.reference(waits): "open"}


def test_a_night_deletes_what_is_over_and_says_how_much(telling: Telling, caplog: pytest.LogCaptureFixture) -> None:
    telling.case()
    telling.turn()
    for event, settled in (("settled", NOW), ("settled lately", NOW + 2 * KEPT), ("waits", None)):
        telling.ward.admin.execute(
            "INSERT INTO crm_inbox (destination_id, event_id, kind, remote_id, heard_at, next_at, outcome, settled_at)"
            " VALUES (%s, %s, 'todo_completed', 'r', %s, %s, %s, %s)",
            (telling.destination_id, event, NOW, NOW, "nothing" if settled else None, settled),
        )
    desk = Desk(JobsSettings(database_url=telling.ward.database.jobs_url), lambda: NOW + 2 * KEPT)
    desk.pool.open()
    try:
        with caplog.at_level("INFO", "cloud.jobs.forgetting_told"):
            assert forget_all(desk) == 1
    finally:
        desk.pool.close()
    assert "1 events that CRMs took, or that were settled, are gone" in caplog.text
    assert telling.ward.rows("SELECT event_id FROM crm_inbox ORDER BY 1") == [("settled lately",), ("waits",)]


def test_a_database_that_is_away_is_said(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(JobsSettings(database_url="postgresql://nobody@127.0.0.1:9/none"), lambda: NOW)
    desk.pool.timeout = 0.2
    desk.pool.open()
    try:
        assert forget_all(desk) == 0
    finally:
        desk.pool.close()
    assert "next night again" in caplog.text
