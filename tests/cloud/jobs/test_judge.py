"""A judgement that fails, whatever the reason: said with its place, and tried again."""

import pytest

from alerting.technical.limits import DEFAULT_LIMITS
from cloud.jobs.judge import Judge
from tests.cloud.made import NOW, Ward


def test_a_judgement_that_fails_is_said_without_what_it_stumbled_over_and_the_next_turn_makes_up_for_it(
    ward: Ward, caplog: pytest.LogCaptureFixture
) -> None:
    ward.admin.execute(
        "INSERT INTO component (name, kind, seen_at, detail)"
        """ VALUES ('ingest-1', 'ingest', now(), '{"since": "dawn"}')"""
    )
    judge = Judge(ward.database.jobs_url, "jobs-1", DEFAULT_LIMITS, lambda: NOW)
    try:
        judge()
        assert judge.judged_at is None
        assert "the fleet was not judged (ValueError at " in caplog.text
        assert "dawn" not in caplog.text

        ward.admin.execute("DELETE FROM component")
        judge()
        assert judge.judged_at == NOW
    finally:
        judge.close()
