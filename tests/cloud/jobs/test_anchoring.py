"""The job that says where the audit ends: once as it grows, and aloud when it shrinks."""

import logging
from collections.abc import Iterator

import pytest

from cloud.audit.service import heads_in
from cloud.audit.store import head
from cloud.config import JobsSettings
from cloud.jobs.anchoring import Said, say_head
from cloud.jobs.desk import Desk
from tests.cloud.audit.made import tamper, written
from tests.cloud.made import NOW, Ward


@pytest.fixture
def desk(ward: Ward) -> Iterator[Desk]:
    """Of the jobs process, as its own role."""
    made = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    made.pool.open()
    try:
        yield made
    finally:
        made.pool.close()


def test_the_end_of_the_chain_is_said_as_it_grows_and_kept_by_who_keeps_the_log(
    ward: Ward, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    said = Said()
    with caplog.at_level(logging.INFO, "cloud.jobs.anchoring"):
        say_head(desk, said)
        assert caplog.text == ""
        written(ward.admin, ward.nurse_id, None)
        say_head(desk, said)
        say_head(desk, said)
    [kept] = heads_in(caplog.text)
    assert kept == head(ward.admin)


def test_a_chain_that_lost_its_end_is_called_out(ward: Ward, desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    said = Said()
    written(ward.admin, ward.nurse_id, None)
    say_head(desk, said)
    tamper(ward.admin, "DELETE FROM audit WHERE audit_id > 3", "DELETE FROM audit_link WHERE position > 3")
    written(ward.admin, ward.nurse_id, None)
    say_head(desk, said)
    assert "THE AUDIT WAS TOUCHED: audit head 5 " in caplog.text


def test_a_database_that_is_away_is_said(caplog: pytest.LogCaptureFixture) -> None:
    away = Desk(JobsSettings(database_url="postgresql://nobody@127.0.0.1:9/none"), lambda: NOW)
    away.pool.open()
    try:
        say_head(away, Said())
    finally:
        away.pool.close()
    assert "again within a minute" in caplog.text
