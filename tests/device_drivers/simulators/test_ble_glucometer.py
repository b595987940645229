import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from device_drivers.codecs.date_time import DateTime
from device_drivers.codecs.glucose_measurement import decode_glucose_measurement
from device_drivers.codecs.record_access_control_point import Operator
from device_drivers.errors import ProtocolError
from device_drivers.links import ble
from device_drivers.links.allow_list import sig_uuid
from device_drivers.simulators.ble_glucometer import Glucometer
from device_drivers.simulators.radio_spec import BleDeviceSpec, BleRecordSpec
from firmware_profiles.schema import Profile
from tests.fix_ble import METER, NOW, PASSKEY, BleHome

MEASUREMENT, CONTROL_POINT = sig_uuid(0x2A18), sig_uuid(0x2A52)


class Asker:
    """Writes any request, and keeps the answer and the sequence numbers that came before it."""

    def __init__(self, link: ble.ConnectedBleLink, meter: Glucometer) -> None:
        self.link = link
        self.meter = meter
        self._numbers: list[int] = []
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()

    async def listen(self) -> None:
        """Subscribe."""
        await self.link.subscribe(
            MEASUREMENT, lambda octets: self._numbers.append(decode_glucose_measurement(octets).sequence_number)
        )
        await self.link.subscribe(CONTROL_POINT, self._answers.put_nowait)

    async def ask(self, request: str) -> tuple[list[int], str]:
        """The sequence numbers reported, and the answer."""
        self._numbers.clear()
        await self.link.write(CONTROL_POINT, bytes.fromhex(request))
        answer = await asyncio.wait_for(self._answers.get(), 5)
        return list(self._numbers), answer.hex()


@pytest.fixture
async def asker(ble_home: BleHome) -> AsyncIterator[Asker]:
    """A meter with the sequence numbers 10 to 14, one a minute, the last at noon."""
    records = tuple(BleRecordSpec(age_s=60 * (4 - i), value=str(100 + i)) for i in range(5))
    meter = await ble_home.meter(
        BleDeviceSpec(
            profile="roche-accu-chek-guide",
            address=METER,
            serial_number="1",
            passkey=PASSKEY,
            first_sequence_number=10,
            records=records,
        )
    )
    async with ble.connect(METER, without_guard(meter.profile), backend=ble_home.backend) as link:
        asking = Asker(link, meter)
        await asking.listen()
        yield asking


def without_guard(profile: Profile) -> Profile:
    """A gateway that may write anything."""
    return Profile(device=profile.device, firmware=msgspec.structs.replace(profile.firmware, commands=("2a52: *",)))


@pytest.mark.parametrize(
    ("request_", "numbers"),
    [
        ("0101", [10, 11, 12, 13, 14]),
        ("0102010b00", [10, 11]),
        ("0103010d00", [13, 14]),
        ("0104010b000c00", [11, 12]),
        ("0105", [10]),
        ("0106", [14]),
    ],
)
async def test_each_operator_chooses_its_records(asker: Asker, request_: str, numbers: list[int]) -> None:
    assert await asker.ask(request_) == (numbers, "06000101")


async def test_records_can_be_chosen_by_user_facing_time(asker: Asker) -> None:
    noon = DateTime.at(NOW)
    request = bytes((1, Operator.GREATER_THAN_OR_EQUAL_TO, 2)) + noon.year.to_bytes(2, "little")
    request += bytes((noon.month, noon.day, noon.hours, noon.minutes, noon.seconds))
    assert await asker.ask(request.hex()) == ([14], "06000101")


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("0401", "05000500"),
        ("0403010c00", "05000300"),
        ("0103010f00", "06000106"),
        ("040100", "06000405"),
        ("0107", "06000104"),
        ("0103050000", "06000109"),
        ("0901", "06000902"),
        ("0300", "06000301"),
    ],
)
async def test_each_question_has_its_answer(asker: Asker, request_: str, answer: str) -> None:
    assert await asker.ask(request_) == ([], answer)


async def test_nothing_is_ever_deleted(asker: Asker) -> None:
    assert await asker.ask("0201") == ([], "06000202")
    assert len(asker.meter.memory) == 5


async def test_an_empty_request_is_refused_at_once(asker: Asker) -> None:
    with pytest.raises(ProtocolError):
        await asker.link.write(CONTROL_POINT, b"")


async def test_one_procedure_at_a_time(asker: Asker) -> None:
    for _ in range(500):
        asker.meter.measure(BleRecordSpec(value="100"))
    first = asyncio.create_task(asker.ask("0101"))
    await asyncio.sleep(0)
    with pytest.raises(ProtocolError) as caught:
        await asker.link.write(CONTROL_POINT, bytes.fromhex("0401"))
    assert caught.value.att_code == 0xFE
    assert len((await first)[0]) == 505
