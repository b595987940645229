"""Weeks of readings in the hypertables, as a patient of a real ward has them."""

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from cloud.observations import store as observations
from cloud.observations.models import Observation
from device_drivers.readings import Reading
from device_drivers.timestamps import TimeQuality
from tests.cloud.made import NOW, Ward, glucose, pressure

# The ward's NOW is 13:00 in Copenhagen on 21 November 2026; mornings there are at 07:00, evenings at 21:00.
MORNING, EVENING = timedelta(hours=6), timedelta(hours=20)


def store(ward: Ward, readings: Iterable[tuple[datetime, Reading]]) -> None:
    """Straight into the hypertables: what is tested here is what is made of them."""
    observations.insert(
        ward.admin,
        [
            Observation(
                reading=reading,
                patient_id=ward.patient_id,
                effective_time=at,
                time_quality=TimeQuality.SYNCHRONISED,
                received_at=at,
            )
            for at, reading in readings
        ],
    )


def pressure_weeks(ward: Ward, days: int, *, systolic: int = 142, evening: int = -8, end: datetime = NOW) -> None:
    """722 for so many days until ``end``: two readings each morning and each evening, that vary by a few mmHg."""
    midnight = end.replace(hour=0, minute=0)
    found = []
    for day in range(days):
        for hours, shift in ((MORNING, 0), (EVENING, evening)):
            for minute in (0, 1):
                at = midnight - timedelta(days=day) + hours + timedelta(minutes=minute)
                if at <= end:
                    wave = round(4 * math.sin(day)) + minute
                    flagged = replace(
                        pressure(str(systolic + shift + wave), str(88 + wave // 2), at=at),
                        annotations=("irregular_pulse",) if day % 9 == 0 else (),
                    )
                    found.append((at, flagged))
    store(ward, found)


def glucose_weeks(ward: Ward, days: int, *, end: datetime = NOW) -> None:
    """Three strips a day in mg/dL: some low, one very low, some high."""
    midnight = end.replace(hour=0, minute=0)
    found = []
    for day in range(days):
        for n, hours in enumerate((6, 12, 20)):
            at = midnight - timedelta(days=day) + timedelta(hours=hours)
            if at <= end:
                value = 120 + 45 * n + round(40 * math.sin(day * 1.7 + n))
                value = 62 if (day, n) == (3, 1) else 50 if (day, n) == (9, 0) else value
                found.append((at, glucose(str(value), at, sequence_number=day * 3 + n + 1)))
    store(ward, found)
