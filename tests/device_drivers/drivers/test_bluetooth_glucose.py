from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.isens_clock import encode_isens_clock
from device_drivers.codecs.record_access_control_point import Request
from device_drivers.drivers.record_access import newest_of, requests_for_missing
from device_drivers.errors import ForbiddenCommand, IncompleteTransfer, LinkError, LinkLost, ProtocolError
from device_drivers.links import ble
from device_drivers.links.allow_list import sig_uuid
from device_drivers.nomenclature import Mdc, Unit
from device_drivers.readings import Kind, Quantity, QuantityState, Sample
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec, RadioFaults
from tests.fix_ble import METER, NOW, PASSKEY, BleHome, Visited

PROFILE = "roche-accu-chek-guide"
NO_FAULTS = RadioFaults()
CONTROL_POINT = sig_uuid(0x2A52)


def meter(
    records: tuple[BleRecordSpec, ...], faults: RadioFaults = NO_FAULTS, first_sequence_number: int = 0
) -> BleDeviceSpec:
    return BleDeviceSpec(
        profile=PROFILE,
        address=METER,
        serial_number="92513337",
        firmware="2.1.3",
        passkey=PASSKEY,
        records=records,
        faults=faults,
        first_sequence_number=first_sequence_number,
    )


def series(count: int) -> tuple[BleRecordSpec, ...]:
    """Oldest first: 100 mg/dL, 101 mg/dL, ... one a minute, the newest now."""
    return tuple(BleRecordSpec(age_s=60 * (count - 1 - i), value=str(100 + i)) for i in range(count))


async def test_a_meter_says_who_it_is_and_what_time_it_shows(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(1)))
    device.set_clock_skew(timedelta(hours=1, minutes=7))
    opened = (await ble_home.visit(device)).opened
    assert opened is not None
    assert opened.identity.device_id == "roche:sn:92513337"
    assert (opened.identity.model, opened.identity.firmware) == ("Accu-Chek Guide", "2.1.3")
    assert opened.holds == 1
    assert opened.coincident is not None
    assert opened.coincident.gateway_time == NOW
    assert opened.coincident.device_time == NOW.replace(tzinfo=None) + timedelta(hours=1, minutes=7)


async def test_the_captured_record_of_an_accu_chek_guide_is_read_as_its_display_showed_it(ble_home: BleHome) -> None:
    """The octets that the meter of stackoverflow 63340809 sent: see bluetooth_glucose.md."""
    device = await ble_home.meter(meter((), first_sequence_number=4))
    device.set_clock_skew(datetime.fromisoformat("2020-07-14T21:08:05") - NOW.replace(tzinfo=None))
    device.measure(BleRecordSpec(value="119", meal=1, time_offset=602))
    (reading,) = (await ble_home.visit(device)).readings
    assert reading.raw.hex().startswith("1b0400e407070e0b06055a0277b0f80000")
    assert reading.quantity(Mdc.CONC_GLU_UNDETERMINED_PLASMA) == Quantity(Decimal("119"), Unit.MG_DL)
    assert reading.reported_time.text == "2020-07-14T11:06:05+602min"
    assert reading.reported_time.local == datetime.fromisoformat("2020-07-14T21:08:05")
    assert (reading.sequence_number, reading.sample) == (4, Sample.PATIENT)
    assert reading.context == {
        "type": "undetermined_plasma",
        "sample_location": "not_available",
        "meal": "preprandial",
    }


async def test_500_records_with_100_contexts_come_whole_and_in_order(ble_home: BleHome) -> None:
    records = tuple(
        BleRecordSpec(age_s=60 * (499 - i), value=str(50 + i), meal=2 if i % 5 == 0 else None) for i in range(500)
    )
    visited = await ble_home.visit(await ble_home.meter(meter(records)))
    assert visited.values == [f"{50 + i} mg/dL" for i in range(500)]
    assert [reading.sequence_number for reading in visited.readings] == list(range(500))
    assert sum("meal" in reading.context for reading in visited.readings) == 100
    assert visited.complete is not None
    assert (visited.complete.holds, visited.complete.warnings) == (500, ())


async def test_the_next_visit_brings_only_what_is_new(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(3)))
    first = await ble_home.visit(device)
    assert first.complete is not None
    again = await ble_home.visit(device, first.complete.cursor)
    assert again.values == []
    device.measure(BleRecordSpec(value="222"))
    assert again.complete is not None
    assert (await ble_home.visit(device, again.complete.cursor)).values == ["222 mg/dL"]


async def test_an_empty_memory_is_a_normal_answer(ble_home: BleHome) -> None:
    visited = await ble_home.visit(await ble_home.meter(meter(())))
    assert visited.opened is not None
    assert (visited.opened.holds, visited.readings) == (0, [])
    assert visited.complete is not None


async def test_readings_older_than_a_battery_that_was_pulled_are_marked_though_they_come_first(
    ble_home: BleHome,
) -> None:
    pulled = tuple(
        BleRecordSpec(age_s=3600 * (5 - n), value=str(100 + n), clock_off_s=864_000.0 if n < 2 else 0.0)
        for n in range(5)
    )
    device = await ble_home.meter(meter(pulled, first_sequence_number=0xFFFE))
    marked = [reading.clock_went_back_to is not None for reading in (await ble_home.visit(device)).readings]
    assert marked == [True, True, False, False, False]


async def test_a_reset_meter_that_counts_from_the_start_again_is_read_whole(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(5)))
    before = await ble_home.visit(device)
    assert before.complete is not None
    device.reset()
    device.set_clock_skew(timedelta(minutes=10))
    for value in ("201", "202"):
        device.measure(BleRecordSpec(value=value))
    assert (await ble_home.visit(device, before.complete.cursor)).values == ["201 mg/dL", "202 mg/dL"]


async def test_a_reset_meter_that_has_reached_the_old_number_again_is_read_whole(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(3)))
    before = await ble_home.visit(device)
    assert before.complete is not None
    device.reset()
    device.set_clock_skew(timedelta(minutes=10))
    for value in range(201, 207):
        device.measure(BleRecordSpec(value=str(value)))
    visited = await ble_home.visit(device, before.complete.cursor)
    assert {f"{value} mg/dL" for value in range(201, 207)} == set(visited.values)
    assert len({reading.reading_id for reading in visited.readings}) == 6


async def test_records_below_the_last_number_are_not_lost(ble_home: BleHome) -> None:
    """A meter that starts to count again without forgetting what it holds."""
    device = await ble_home.meter(meter(series(3), first_sequence_number=100))
    before = await ble_home.visit(device)
    assert before.complete is not None
    device.set_next_sequence_number(0)
    device.measure(BleRecordSpec(value="299"))
    assert "299 mg/dL" in (await ble_home.visit(device, before.complete.cursor)).values


async def test_a_full_memory_that_has_overwritten_the_last_record_is_read_whole(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(2)))
    before = await ble_home.visit(device)
    assert before.complete is not None
    for i in range(720):
        device.measure(BleRecordSpec(value=str(20 + i % 500)))
    assert len((await ble_home.visit(device, before.complete.cursor)).readings) == 720


@pytest.mark.parametrize("cursor", [{}, {"sequence_number": 1}, {"something": "else"}])
async def test_a_cursor_that_is_not_ours_means_from_the_start(ble_home: BleHome, cursor: dict[str, int | str]) -> None:
    assert len((await ble_home.visit(await ble_home.meter(meter(series(2))), cursor)).readings) == 2


async def test_a_link_that_drops_in_the_middle_gives_whole_readings_and_no_cursor(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(200), RadioFaults(drop_after=77)))
    visited = Visited()
    with pytest.raises(LinkLost):
        await ble_home.visit(device, into=visited)
    assert visited.complete is None
    assert visited.values == [f"{100 + i} mg/dL" for i in range(len(visited.readings))]
    assert 0 < len(visited.readings) <= 77
    assert len((await ble_home.visit(device)).readings) == 200


async def test_a_record_that_got_lost_on_the_way_is_asked_for_once_more(ble_home: BleHome) -> None:
    sent: list[str] = []
    tap = lambda direction, _, octets: sent.append(octets.hex()) if direction == "out" else None  # noqa: E731
    device = await ble_home.meter(meter(series(50), RadioFaults(omit=20)))
    visited = await ble_home.visit(device, tap=tap)
    assert sorted(reading.sequence_number or 0 for reading in visited.readings) == list(range(50))
    assert visited.complete is not None
    assert sent == ["0401", "0101", "01040113001300", "0103013200"]


@pytest.mark.parametrize("lost", [1, 50])
async def test_a_record_lost_at_either_end_is_asked_for_once_more(ble_home: BleHome, lost: int) -> None:
    device = await ble_home.meter(meter(series(50), RadioFaults(omit=lost), first_sequence_number=100))
    visited = await ble_home.visit(device)
    assert len(visited.readings) == 50
    assert visited.complete is not None
    assert visited.complete.cursor["sequence_number"] == 149


async def test_a_record_that_never_comes_is_an_incomplete_transfer(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(50), RadioFaults(never_send=19)))
    visited = Visited()
    with pytest.raises(IncompleteTransfer) as caught:
        await ble_home.visit(device, into=visited)
    assert (caught.value.expected, caught.value.received) == (50, 49)
    assert (visited.complete, len(visited.readings)) == (None, 49)


async def test_a_context_that_got_lost_on_the_way_is_a_warning(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter((BleRecordSpec(value="101", meal=1),), RadioFaults(omit=2)))
    visited = await ble_home.visit(device)
    assert visited.values == ["101 mg/dL"]
    assert visited.complete is not None
    assert visited.complete.warnings == ("1 records announced a context that did not come",)


@pytest.mark.parametrize("code", [0xFE, 0x80])
async def test_a_busy_meter_is_asked_again(ble_home: BleHome, code: int) -> None:
    device = await ble_home.meter(meter(series(3), RadioFaults(busy_requests=2, busy_code=code)))
    assert len((await ble_home.visit(device)).readings) == 3


async def test_a_meter_that_refuses_for_another_reason_is_not_pestered(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(3), RadioFaults(busy_requests=1, busy_code=0x03)))
    with pytest.raises(ProtocolError) as caught:
        await ble_home.visit(device)
    assert caught.value.att_code == 0x03


@pytest.mark.parametrize(
    ("value", "state", "bound"),
    [
        ("HI", QuantityState.ABOVE_RANGE, Decimal(600)),
        ("LO", QuantityState.BELOW_RANGE, Decimal(20)),
        ("NaN", QuantityState.NOT_A_NUMBER, None),
    ],
)
async def test_what_is_not_a_number_is_a_state(
    ble_home: BleHome, value: str, state: QuantityState, bound: Decimal | None
) -> None:
    device = await ble_home.meter(meter((BleRecordSpec(value=value),)))
    (reading,) = (await ble_home.visit(device)).readings
    assert reading.components[0].quantity == Quantity(None, Unit.MG_DL, state, bound)


async def test_control_solution_is_marked_and_the_meters_flags_are_kept(ble_home: BleHome) -> None:
    control = BleRecordSpec(value="120", control_solution=True, flags=("device_battery_low", "time_fault"))
    (reading,) = (await ble_home.visit(await ble_home.meter(meter((control,))))).readings
    assert reading.sample is Sample.CONTROL_SOLUTION
    assert reading.components[0].code is Mdc.CONC_GLU_CONTROL
    assert reading.annotations == ("device_battery_low", "time_fault")


async def test_nothing_but_questions_leaves_for_the_meter(ble_home: BleHome) -> None:
    sent: list[str] = []
    device = await ble_home.meter(meter(series(2)))
    tap = lambda direction, _, octets: sent.append(octets.hex()) if direction == "out" else None  # noqa: E731
    first = await ble_home.visit(device, tap=tap)
    assert first.complete is not None
    await ble_home.visit(device, first.complete.cursor, tap=tap)
    assert sent == ["0401", "0101", "0401", "0403010100", "0103010100"]


async def test_a_command_that_the_profile_does_not_list_never_leaves(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(2)))
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        with pytest.raises(ForbiddenCommand):
            await link.write(CONTROL_POINT, bytes.fromhex("0201"))
    assert len(device.memory) == 2


async def test_a_request_before_the_subscription_is_refused_by_the_meter(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(2)))
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        with pytest.raises(ProtocolError) as caught:
            await link.write(CONTROL_POINT, bytes.fromhex("0401"))
    assert caught.value.att_code == 0xFD


async def test_an_error_of_the_link_is_one_of_ours(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(2)))
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        await link.hang_up()
        with pytest.raises(LinkError):
            await link.read(sig_uuid(0x2A29))


async def test_a_hole_that_the_meter_cannot_be_asked_for_is_an_incomplete_transfer(ble_home: BleHome) -> None:
    device = await ble_home.meter(replace(meter(series(50), RadioFaults(omit=20)), refused_operators=(4,)))
    with pytest.raises(IncompleteTransfer):
        await ble_home.visit(device)
    assert len((await ble_home.visit(device)).readings) == 50


@pytest.mark.parametrize("refused", [(1,), (3,), (1, 2, 4, 5, 6)])
async def test_a_meter_that_lacks_an_operator_is_asked_in_another_way(
    ble_home: BleHome, refused: tuple[int, ...]
) -> None:
    """Counting by the same operator is refused as well, so "all" may be missing only where it is not counted by."""
    device = await ble_home.meter(replace(meter(series(5)), refused_operators=refused))
    if 1 in refused:
        with pytest.raises(ProtocolError, match="operator not supported"):
            await ble_home.visit(device)
        return
    first = await ble_home.visit(device)
    assert first.complete is not None
    device.measure(BleRecordSpec(value="222"))
    assert "222 mg/dL" in (await ble_home.visit(device, first.complete.cursor)).values


async def test_the_numbers_begin_again_after_65535_and_nothing_is_lost(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(10), first_sequence_number=0xFFFF - 4))
    first = await ble_home.visit(device)
    assert [reading.sequence_number for reading in first.readings] == [65531, 65532, 65533, 65534, 65535, 0, 1, 2, 3, 4]
    assert first.complete is not None
    assert first.complete.cursor["sequence_number"] == 4
    device.measure(BleRecordSpec(value="222"))
    second = await ble_home.visit(device, first.complete.cursor)
    assert "222 mg/dL" in second.values
    assert second.complete is not None
    assert second.complete.cursor["sequence_number"] == 5


async def test_a_full_memory_that_steps_over_65535_is_read_whole(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter(series(720), first_sequence_number=0xFFFF - 719))
    first = await ble_home.visit(device)
    assert first.complete is not None
    assert first.complete.cursor["sequence_number"] == 0xFFFF
    device.measure(BleRecordSpec(value="222"))
    assert "222 mg/dL" in (await ble_home.visit(device, first.complete.cursor)).values


async def test_a_record_whose_clock_was_faulty_has_no_time(ble_home: BleHome) -> None:
    device = await ble_home.meter(meter((BleRecordSpec(value="120", flags=("time_fault",)),)))
    (reading,) = (await ble_home.visit(device)).readings
    assert reading.annotations == ("time_fault",)
    assert reading.reported_time.local is None
    assert reading.reported_time.text == "2026-11-20T12:00:00"


DUAL = "isens-caresens-dual"
MIXED = (
    BleRecordSpec(age_s=300, value="98", meal=1),
    BleRecordSpec(age_s=200, value="1.2", analyte="ketone"),
    BleRecordSpec(age_s=100, value="105"),
    BleRecordSpec(age_s=50, value="HI", analyte="ketone"),
)


def of_profile(profile: str, records: tuple[BleRecordSpec, ...], faults: RadioFaults = NO_FAULTS) -> BleDeviceSpec:
    return replace(meter(records, faults), profile=profile)


async def test_a_ketone_strip_is_no_hypoglycaemia(ble_home: BleHome) -> None:
    readings = (await ble_home.visit(await ble_home.meter(of_profile(DUAL, MIXED)))).readings
    assert [(reading.kind, str(reading.components[0].quantity)) for reading in readings] == [
        (Kind.GLUCOSE, "98 mg/dL"),
        (Kind.KETONE, "1.2 mmol/L"),
        (Kind.GLUCOSE, "105 mg/dL"),
        (Kind.KETONE, "HI (mmol/L)"),
    ]
    assert readings[1].components[0].code is Mdc.PRIVATE_CONC_KETONE_CAPILLARY_WHOLEBLOOD


async def test_on_another_meter_meal_6_is_a_reserved_meal(ble_home: BleHome) -> None:
    (reading,) = (await ble_home.visit(await ble_home.meter(meter((BleRecordSpec(value="12", meal=6),))))).readings
    assert (reading.kind, reading.context["meal"]) == (Kind.GLUCOSE, "reserved_6")


async def test_a_ketone_whose_context_got_lost_is_asked_for_again(ble_home: BleHome) -> None:
    """Pushed: 98, its context, the ketone record, its context (4), ..."""
    visited = await ble_home.visit(await ble_home.meter(of_profile(DUAL, MIXED, RadioFaults(omit=4))))
    assert sorted(visited.values) == ["1.2 mmol/L", "105 mg/dL", "98 mg/dL", "HI (mmol/L)"]
    assert visited.complete is not None
    assert visited.complete.warnings == ()


async def test_a_link_that_drops_before_the_context_gives_no_doubtful_reading(ble_home: BleHome) -> None:
    visited = Visited()
    device = await ble_home.meter(of_profile(DUAL, MIXED, RadioFaults(drop_after=3)))
    with pytest.raises(LinkLost):
        await ble_home.visit(device, into=visited)
    assert set(visited.values) <= {"98 mg/dL"}


async def test_a_clock_that_can_only_be_written_is_left_alone(ble_home: BleHome) -> None:
    device = await ble_home.meter(of_profile(DUAL, MIXED))
    own_clock = sig_uuid(0xFFF1)
    async with ble.connect(METER, device.profile, backend=ble_home.backend) as link:
        assert link.has_characteristic(own_clock)
        with pytest.raises(ForbiddenCommand):
            await link.write(own_clock, encode_isens_clock(DateTime(2018, 11, 29, 22, 45, 59)))
    assert device.clock() == NOW.replace(tzinfo=None)


BACKWARDS = "taidoc-dm30b"


async def test_a_meter_that_counts_backwards_is_identified_by_time_and_figure(ble_home: BleHome) -> None:
    device = await ble_home.meter(of_profile(BACKWARDS, series(4)))
    first = await ble_home.visit(device)
    assert {reading.sequence_number for reading in first.readings} == {None}
    assert first.values == ["103 mg/dL", "102 mg/dL", "101 mg/dL", "100 mg/dL"]
    device.measure(BleRecordSpec(value="222"))
    assert first.complete is not None
    second = await ble_home.visit(device, first.complete.cursor)
    assert {r.reading_id for r in second.readings} > {r.reading_id for r in first.readings}
    assert len({r.reading_id for r in second.readings}) == 5


async def test_a_meter_that_counts_backwards_is_asked_for_its_newest_record_first(ble_home: BleHome) -> None:
    device = await ble_home.meter(of_profile(BACKWARDS, series(4)))
    first = await ble_home.visit(device)
    assert first.complete is not None
    sent: list[str] = []
    tap = lambda direction, _, octets: sent.append(octets.hex()) if direction == "out" else None  # noqa: E731
    assert (await ble_home.visit(device, first.complete.cursor, tap=tap)).readings == []
    assert sent == ["0401", "0105"]


async def test_equal_results_of_a_meter_that_counts_backwards_are_told_apart(ble_home: BleHome) -> None:
    same = (BleRecordSpec(age_s=60, value="100"), BleRecordSpec(age_s=60, value="100"))
    visited = await ble_home.visit(await ble_home.meter(of_profile(BACKWARDS, same)))
    assert sorted(reading.occurrence for reading in visited.readings) == [0, 1]


async def test_an_ascensia_meter_is_never_asked_for_all_records(ble_home: BleHome) -> None:
    sent: list[str] = []
    tap = lambda direction, _, octets: sent.append(octets.hex()) if direction == "out" else None  # noqa: E731
    device = await ble_home.meter(of_profile("ascensia-contour-next-one", series(3)))
    assert len((await ble_home.visit(device, tap=tap)).readings) == 3
    assert sent == ["0401", "0103010000"]


@given(
    st.sets(st.integers(0, 0xFFFF), min_size=1, max_size=30),
    st.sets(st.integers(0, 0xFFFF), max_size=30),
    st.booleans(),
)
def test_whatever_is_missing_is_covered_by_the_requests_for_it(seen: set[int], lost: set[int], resumed: bool) -> None:
    since = min(seen | lost) if resumed else None
    requests = requests_for_missing(seen, since)
    numbers = sorted(seen)
    if sum(1 < b - a < 0x8000 for a, b in pairwise(numbers)) > 16:
        assert requests == []
        return
    far = [(a, b) for a, b in pairwise(numbers) if b - a >= 0x8000]
    for number in lost - seen:
        if not any(a < number < b for a, b in far):
            assert any(covers(request, number) for request in requests)


def covers(request: Request, number: int) -> bool:
    low = request.minimum if isinstance(request.minimum, int) else 0
    high = request.maximum if isinstance(request.maximum, int) else 0xFFFF
    return low <= number <= high


@pytest.mark.parametrize(
    ("numbers", "newest"), [({3}, 3), ({1, 2, 3}, 3), ({65534, 65535, 0, 1}, 1), ({65535}, 65535), ({0, 65535}, 0)]
)
def test_the_newest_number_is_the_one_after_the_wrap(numbers: set[int], newest: int) -> None:
    assert newest_of(numbers) == newest
