"""Lets the simulated devices measure, and keeps what they answer: the truth of what was made, and when."""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from deploy.chaos import cast
from deploy.chaos.household import Household, patient_at
from deploy.chaos.plan import Measure
from deploy.chaos.truth import Made, Truth
from deploy.demo.processes import Child


@dataclass(frozen=True, slots=True)
class _Ordered:
    """What a device was told to do, until it says that it has."""

    measure: Measure
    age_s: float
    patient: str
    round: int


class Measuring:
    """Orders to the simulators' process, by ids of ours."""

    def __init__(self, simulators: Child, household: Household, truth: Truth) -> None:
        self._simulators = simulators
        self._household = household
        self._truth = truth
        self._ordered: dict[str, _Ordered] = {}
        self._answered = asyncio.Event()
        self._count = 0
        simulators.heard = self._heard

    async def measure(self, measure: Measure, round_number: int) -> None:
        """Now, by whoever uses the device now."""
        patient = self._household.users[measure.device, measure.user]
        await self._order(_Ordered(measure, 0.0, patient, round_number))

    async def remember(self, measure: Measure, age_s: float) -> None:
        """A measurement that stands in the memory, so many seconds old."""
        patient = patient_at(self._household, measure.device, measure.user, age_s)
        await self._order(_Ordered(measure, age_s, patient, 0))

    async def all_answered(self) -> None:
        """Wait until every order was obeyed."""
        while self._ordered:
            self._answered.clear()
            await self._answered.wait()

    async def _order(self, ordered: _Ordered) -> None:
        self._count += 1
        made_id = f"r{self._count:06}"
        self._ordered[made_id] = ordered
        record: dict[str, object] = {"age_s": ordered.age_s, **dict(ordered.measure.figures)}
        if "value" in record:
            record["value"] = str(record["value"])
        if ordered.measure.user is not None:
            record["user"] = ordered.measure.user
        await self._simulators.say(json.dumps({"device": ordered.measure.device, "id": made_id, "record": record}))

    def _heard(self, line: str) -> None:
        said = json.loads(line)
        if "id" not in said:
            return
        ordered = self._ordered.pop(said["id"])
        at = datetime.fromisoformat(said["at"]) - timedelta(seconds=ordered.age_s)
        skew = timedelta(seconds=cast.BY_NAME[ordered.measure.device].home.clock_skew_s)
        self._truth.made.append(
            Made(
                id=said["id"],
                device=ordered.measure.device,
                user=ordered.measure.user,
                figures=ordered.measure.figures,
                at=at,
                shown=at.replace(tzinfo=None) + skew,
                patient=ordered.patient,
                condition=ordered.measure.condition,
                round=ordered.round,
            )
        )
        self._answered.set()
