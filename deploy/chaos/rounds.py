"""Runs a plan: the steps of a round at their times, then the settled end, then the nurse."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import psycopg

from deploy.chaos import cast, clock, nurse
from deploy.chaos.household import hand_over
from deploy.chaos.measuring import Measuring
from deploy.chaos.plan import Backup, Fault, Figures, Measure, Plan, Reassign, Step
from deploy.chaos.settled import all_visited, settle
from deploy.chaos.stage import Stage
from deploy.chaos.strikes import Strikes
from deploy.chaos.truth import Truth

# Faults that are still being mended; more wait.
AT_ONCE = 6
# Before and after a device changes hands nobody measures with it for so long: a clock's seconds are no better.
HANDS_FREE_S = 3.0
RETRY_S = 0.2


class Rounds:
    """The run of one plan on one stage."""

    def __init__(self, plan: Plan, stage: Stage, truth: Truth, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._stage = stage
        self._truth = truth
        self._say = say
        self._strikes = Strikes(stage, truth)
        self._measuring = Measuring(stage.simulated.child, stage.household, truth)
        self._hands_free = asyncio.Event()
        self._hands_free.set()
        self._mending = asyncio.Semaphore(AT_ONCE)
        self._struck = 0
        self._began = clock.monotonic()

    async def run(self) -> None:
        """All of it. NotSettled; NotReady and ServiceFailed where something cannot be started again."""
        for past in self._plan.history:
            await self._measuring.remember(past.measure, past.age_s)
        await self._measuring.all_answered()
        await self._stage.gateway.up()
        await self._settle()
        await self._strikes.back_up()
        for number, steps in enumerate(self._plan.rounds):
            await self._round(number, steps)
            await self._settle()
            await nurse.work_off(self._stage)
        await self._look_again()

    async def _round(self, number: int, steps: tuple[Step, ...]) -> None:
        began = clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for step in steps:
                await asyncio.sleep(began + step.at_s - clock.monotonic())
                match step.what:
                    case Fault():
                        await self._mending.acquire()
                        group.create_task(self._strike(step.what))
                    case Measure():
                        group.create_task(self._measure(step.what, number))
                    case Reassign():
                        group.create_task(self._reassign())
                    case Backup():
                        group.create_task(self._strikes.back_up())

    async def _strike(self, fault: Fault) -> None:
        try:
            self._struck += 1
            total = sum(self._plan.faults.values())
            detail = fault.link or fault.device or (f"{fault.offset_s:+g} s" if fault.offset_s else "")
            self._say(f"[{self._struck}/{total}] {self._elapsed():.1f} s {fault.kind} {detail}".rstrip())
            await self._strikes.strike(fault)
        finally:
            self._mending.release()

    async def _measure(self, measure: Measure, number: int) -> None:
        if measure.device == cast.REASSIGNED:
            await self._hands_free.wait()
        await self._measuring.measure(measure, number)

    async def _reassign(self) -> None:
        self._hands_free.clear()
        await self._measuring.all_answered()
        await asyncio.sleep(HANDS_FREE_S)
        at = clock.now()
        while not await asyncio.to_thread(self._handed_over, at):  # noqa: ASYNC110 -- the database comes back unasked
            await asyncio.sleep(RETRY_S)
        await asyncio.sleep(HANDS_FREE_S)
        self._hands_free.set()

    def _handed_over(self, at: datetime) -> bool:
        try:
            hand_over(self._stage.admin_url, self._stage.household, at)
        except psycopg.OperationalError:
            return False
        return True

    async def _settle(self) -> None:
        await self._measuring.all_answered()
        took_s = await settle(self._stage, self._truth)
        self._say(f"settled {took_s:.1f} s after the last fault: {len(self._truth.made)} readings")

    async def _look_again(self) -> None:
        """Every device measures once more and is visited twice more: what would come twice has come by then."""
        for device in cast.DEVICES:
            figures: Figures = (("value", 120),)
            if device.name in (cast.CUFF, cast.CABLE_CUFF):
                figures = (("systolic", 121), ("diastolic", 79), ("mean", 93), ("pulse", 66))
            user = device.users[0] if device.users else None
            await self._measuring.measure(Measure(device.name, figures, user), len(self._plan.rounds))
        await self._settle()
        for _ in range(2):
            await all_visited(self._stage, clock.now())
        await self._settle()

    def _elapsed(self) -> float:
        return clock.monotonic() - self._began
