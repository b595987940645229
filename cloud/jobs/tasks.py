"""The jobs that there are, and when: one procrastinate application, put together for one process."""

from collections.abc import Callable, Sequence

from procrastinate import App, JobContext, PsycopgConnector

from cloud.db.connect import CONNECT_TIMEOUT_S, noticing, session_options
from cloud.jobs import assessing, delivering, escalating, retaining, trying_limits
from cloud.jobs.desk import Desk

POOL_SIZE = 4
WAIT_FOR_CONNECTION_S = 5.0
EVERY_MINUTE = "* * * * *"


# Each room's jobs: a function that adds its tasks to the application.
ROOMS: Sequence[Callable[[App, Desk], None]] = (
    assessing.add_jobs,
    delivering.add_jobs,
    escalating.add_jobs,
    retaining.add_jobs,
    trying_limits.add_jobs,
)


def make_app(desk: Desk, judge: Callable[[], None]) -> App:
    """An application whose workers judge the fleet at intervals, take up what dead ones left, and do each room's jobs."""
    app = App(
        connector=PsycopgConnector(
            conninfo=noticing(desk.settings.database_url),
            min_size=1,
            max_size=POOL_SIZE,
            timeout=WAIT_FOR_CONNECTION_S,
            kwargs={
                "application_name": f"pulsepost {desk.settings.name}",
                "connect_timeout": CONNECT_TIMEOUT_S,
                "options": session_options(),
            },
        ),
        # Late is as good as never for these: the next turn sees all that this one would have seen.
        periodic_defaults={"max_delay": 60},
    )

    # The sixth field of a cron line is its seconds.
    @app.periodic(cron=f"* * * * * */{desk.settings.judge_every_s}")
    @app.task(name="judge_fleet", queueing_lock="judge_fleet")
    def judge_the_fleet(timestamp: int) -> None:
        del timestamp
        judge()

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="take_up_stalled_jobs", queueing_lock="take_up_stalled_jobs", pass_context=True)
    async def take_up_stalled_jobs(context: JobContext, timestamp: int) -> None:
        """A job whose worker died in the middle is done again: every job of ours may be done twice."""
        del timestamp
        for job in await context.app.job_manager.get_stalled_jobs():
            await context.app.job_manager.retry_job(job)

    for room in ROOMS:
        room(app, desk)
    return app
