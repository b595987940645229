"""What dead workers left in the queue is taken up, each by itself; what failed long ago goes."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from procrastinate import App

from cloud.config import JobsSettings
from cloud.jobs import tidying
from cloud.jobs.desk import Desk
from cloud.jobs.tasks import make_app
from tests.cloud.made import NOW, Ward


def in_queue(ward: Ward, act: Callable[[App], Awaitable[None]]) -> None:
    """Do something with the application's queue, as a job does."""

    async def run() -> None:
        desk = Desk(JobsSettings(database_url=ward.database.jobs_url), lambda: NOW)
        async with make_app(desk, lambda: None).open_async() as app:
            await act(app)

    asyncio.run(run())


def take_up(ward: Ward) -> None:
    """As each minute."""
    in_queue(ward, lambda app: tidying.take_up(app.job_manager))


def wake(ward: Ward, case_id: str) -> None:
    """What wake_case does for a case that exists."""
    ward.admin.execute(
        "SELECT wake('look_at_case', 'look_at_case:' || %(id)s, jsonb_build_object('case_id', %(id)s::text), now())",
        {"id": case_id},
    )


def leave_in_the_middle(ward: Ward) -> None:
    """A worker takes all that waits, and dies."""
    ward.admin.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE status = 'todo'")


def left(ward: Ward) -> list[tuple[str, str]]:
    """Case and status of each job."""
    rows = ward.rows("SELECT args ->> 'case_id', status::text FROM procrastinate_jobs ORDER BY id")
    return [(case_id, status) for case_id, status in rows]


def test_what_a_dead_worker_left_is_taken_up(ward: Ward) -> None:
    case_id = str(uuid4())
    wake(ward, case_id)
    leave_in_the_middle(ward)
    take_up(ward)
    assert left(ward) == [(case_id, "todo")]


def test_a_job_that_was_asked_for_again_keeps_no_other_from_being_taken_up(ward: Ward) -> None:
    asked_again, other = str(uuid4()), str(uuid4())
    wake(ward, asked_again)
    wake(ward, other)
    leave_in_the_middle(ward)
    wake(ward, asked_again)
    take_up(ward)
    assert sorted(left(ward)) == sorted([(asked_again, "todo"), (other, "todo")])


def test_jobs_that_failed_are_forgotten_after_two_weeks(ward: Ward) -> None:
    old, new = str(uuid4()), str(uuid4())
    for case_id in (old, new):
        wake(ward, case_id)
    ward.admin.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    ward.admin.execute(
        "UPDATE procrastinate_events SET at = now() - interval '15 days'"
        " WHERE job_id = (SELECT id FROM procrastinate_jobs WHERE args ->> 'case_id' = %s)",
        (old,),
    )
    in_queue(ward, lambda app: tidying.forget(app.job_manager))
    assert left(ward) == [(new, "failed")]
