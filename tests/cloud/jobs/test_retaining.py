"""The nightly job: everything that is over, piece by piece, and counted in the log."""

import logging
from datetime import timedelta

import pytest

from cloud.config import JobsSettings
from cloud.jobs.desk import Desk
from cloud.jobs.retaining import end_all
from cloud.retention.models import KEEPING
from cloud.retention.service import Ended
from tests.cloud.made import NOW, Ward
from tests.cloud.retention.test_service import LONG_AGO, visits


def test_a_night_ends_all_that_is_over_and_says_how_much(ward: Ward, caplog: pytest.LogCaptureFixture) -> None:
    visits(ward, 70, LONG_AGO)
    desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
    desk.pool.open()
    try:
        with caplog.at_level(logging.INFO, "cloud.jobs.retaining"):
            assert end_all(desk) == Ended(sessions=70 - KEEPING.newest_sessions, alarms=0)
    finally:
        desk.pool.close()
    assert "ended: 20 sessions without a reading, 0 resolved technical alarms" in caplog.text


def test_a_database_that_is_away_is_said_and_tomorrow_is_another_night(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(JobsSettings(database_url="postgresql://nobody@127.0.0.1:9/none"), lambda: NOW + timedelta(days=1))
    desk.pool.open()
    try:
        assert not end_all(desk)
    finally:
        desk.pool.close()
    assert "next night again" in caplog.text
