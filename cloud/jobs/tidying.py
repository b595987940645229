"""The queue itself: what dead workers left is taken up, and jobs that failed are not kept for ever."""

import logging

from procrastinate import App, JobContext
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from cloud.jobs.desk import Desk

log = logging.getLogger(__name__)

EVERY_MINUTE = "* * * * *"
# UTC; after what is over was ended (``cloud.jobs.retaining``).
EACH_NIGHT = "10 3 * * *"
# Long enough to look into what failed on a Friday before a week off (proposal of this project).
KEPT_H = 14 * 24


def add_jobs(app: App, desk: Desk) -> None:
    """``take_up_stalled_jobs`` each minute, ``forget_old_jobs`` each night. Both may be done twice."""
    del desk

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="take_up_stalled_jobs", queueing_lock="take_up_stalled_jobs", pass_context=True)
    async def take_up_stalled_jobs(context: JobContext, timestamp: int) -> None:
        del timestamp
        await take_up(context.app.job_manager)

    # Those that were done are deleted at once; a process that ends and a database that is away leave others behind.
    @app.periodic(cron=EACH_NIGHT)
    @app.task(name="forget_old_jobs", queueing_lock="forget_old_jobs", pass_context=True)
    async def forget_old_jobs(context: JobContext, timestamp: int) -> None:
        del timestamp
        await forget(context.app.job_manager)


async def take_up(jobs: JobManager) -> None:
    """A job whose worker died in the middle is done again: every job of ours may be done twice.

    Each by itself: one that cannot be taken up keeps none of the others waiting.
    """
    for job in await jobs.get_stalled_jobs():
        try:
            await _take_up_one(jobs, job)
        except ConnectorException as error:
            # Somebody else was faster; or the database is away, and the next turn has it.
            log.info("job %s of a dead worker was not taken up (%s)", job.id, type(error).__name__)


async def _take_up_one(jobs: JobManager, job: Job) -> None:
    try:
        await jobs.retry_job(job)
    except UniqueViolation:
        # A sweep has asked for the same meanwhile, and that one waits: this one is needed no longer.
        await jobs.finish_job(job, status=Status.FAILED, delete_job=True)


async def forget(jobs: JobManager) -> None:
    """Jobs that ended otherwise than well, and long ago."""
    await jobs.delete_old_jobs(KEPT_H, include_failed=True, include_cancelled=True, include_aborted=True)
