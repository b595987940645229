"""Who used a device, when."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from cloud.devices.models import Assignment, patient_at
from device_drivers.wall_clocks import Zones

START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
FIRST, SECOND = uuid4(), uuid4()


def whole(patient_id: object = FIRST, *, user_index: int | None = None) -> Assignment:
    """The device for half a year."""
    assert patient_id in (FIRST, SECOND)
    return Assignment(
        device_id="d",
        user_index=user_index,
        patient_id=FIRST if patient_id is FIRST else SECOND,
        since=START,
        until=END,
        zones=Zones(UTC),
    )


@pytest.mark.parametrize(
    ("time", "found"),
    [
        (START - timedelta(microseconds=1), None),
        (START, FIRST),
        (END - timedelta(microseconds=1), FIRST),
        (END, None),
    ],
)
def test_an_assignment_holds_from_its_start_to_just_before_its_end(time: datetime, found: object) -> None:
    assert patient_at([whole()], None, time) == found


def test_a_user_slot_goes_before_the_whole_device() -> None:
    both = [whole(FIRST), whole(SECOND, user_index=2)]
    assert [patient_at(both, slot, START) for slot in (None, 1, 2)] == [FIRST, FIRST, SECOND]


def test_a_reading_without_a_slot_belongs_to_no_slots_user() -> None:
    assert patient_at([whole(SECOND, user_index=2)], None, START) is None
